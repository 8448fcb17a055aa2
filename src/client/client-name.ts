/**
 * The name the SDK gives itself when it asks for a profile and when it connects, so that a gateway can tell its clients from
 * those that know only one transport; as a query. The version is the package's; a test compares the two.
 */
export const NAME_QUERY = '?client=sdk/0.1.0';

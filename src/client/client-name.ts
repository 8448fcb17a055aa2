/**
 * What the SDK calls itself when it asks for a profile and when it connects (`client=`), so that a gateway can tell its
 * clients from those that know only one transport. The version is the package's; a test compares the two.
 */
export const SDK_NAME = 'sdk/0.1.0';

// A commands module all of whose actions are executed by workers of another kind.
export default { 'governor.start': { queue: 'governor' } };

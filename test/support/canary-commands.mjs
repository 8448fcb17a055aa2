// What an attacker of the hostile tests would like to run, and may not; and what it may.

export default {
  'canary.run': { handler: () => 'ran', publishes: { type: 'canary_ran', room: 'canary' } },
  'team.echo': {
    handler: (/** @type {unknown} */ data) => data,
    publishes: { type: 'team_echo', room: 'team.echo' },
  },
};

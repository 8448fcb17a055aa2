import { readFileSync } from 'node:fs';
import type { Config } from './core/config/config.js';
import { type ConfigFault, ConfigFaults } from './core/config/fault.js';
import { EventTypes } from './core/event-types.js';
import { type LegacyMapping, parseLegacyMapping } from './profiles/socketio/legacy-mapping.js';

/** The configuration's data files, read and checked. */
export interface Tables {
  readonly types: EventTypes;
  readonly mapping: LegacyMapping;
}

/** Reads the table of event types and the legacy mapping; all faults of both at once. */
export function readTables(config: Config): Tables | ConfigFaults {
  const faults: ConfigFault[] = [];
  const read = <Table extends object>(
    variable: string,
    file: string,
    parse: (json: unknown) => Table | string[],
  ): Table | undefined => {
    const table = parseFile(file, parse);
    if (!Array.isArray(table)) return table;
    for (const remedy of table) faults.push({ variable, value: file, source: file, remedy });
    return undefined;
  };
  const types = read('EVENT_TYPES_FILE', config.eventTypesFile, (json) =>
    EventTypes.parse(json, config.defaultRooms),
  );
  const mapping = read('LEGACY_EVENTS_FILE', config.legacyEventsFile, parseLegacyMapping);
  return types === undefined || mapping === undefined ? new ConfigFaults(faults) : { types, mapping };
}

function parseFile<Table extends object>(
  file: string,
  parse: (json: unknown) => Table | string[],
): Table | string[] {
  let json: unknown;
  try {
    json = JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    return [
      `must be a JSON file that can be read: ${error instanceof Error ? error.message : String(error)}`,
    ];
  }
  return parse(json);
}

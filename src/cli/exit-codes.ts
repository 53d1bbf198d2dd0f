/** What the process ends with, so that scripts can tell what happened without reading text. */
export const EXIT = {
  done: 0,
  /** Something failed; for `get`: some files, the others are there. */
  failed: 1,
  /** The command line is wrong, or what it names is no link. */
  usage: 2,
  /** Nobody who has it answers. */
  unreachable: 3,
  /** There is no such file, directory, mount or share. */
  missing: 4,
  /** Another process uses the directory. */
  busy: 5,
  /** Ended by SIGINT; by SIGTERM it is 143, as shells report it. */
  interrupted: 130,
  terminated: 143
} as const

/** For `warren help`. */
export const EXIT_CODES_HELP: readonly (readonly [code: string, meaning: string])[] = [
  ['0', 'done'],
  ['1', 'failed; for get: some files failed, the others are there; for check: problems remain'],
  ['2', 'wrong usage, or what was given is no link'],
  ['3', 'nobody who has it can be reached'],
  ['4', 'no such file, directory, mount or share'],
  ['5', 'the directory is in use by another process'],
  ['130', 'interrupted (143: terminated); share ends with 0 then']
]

/** What `warren help` prints. */
import type { Command, OptionTable } from './command.ts'
import { EXIT_CODES_HELP } from './exit-codes.ts'
import { GLOBAL_OPTIONS } from './settings.ts'

/** Text is broken here: it fits on a terminal of 80 columns. */
const COLUMNS = 80

/** Where the second column begins. */
const INDENT = 26

/** Of everything. */
export function overview(commands: readonly Command[]): string[] {
  return [
    'warren: share folders with other peers, and use theirs',
    '',
    'Usage: warren <command> [options]',
    '',
    'Commands:',
    ...commands.flatMap(({ name, summary }) => row(name, summary)),
    '',
    'Options of every command:',
    ...optionRows(GLOBAL_OPTIONS),
    '',
    'Exit codes:',
    ...EXIT_CODES_HELP.flatMap(([code, meaning]) => row(code, meaning)),
    '',
    'Environment:',
    ...row('WARREN_DIRECTORY', 'the directory when --directory does not say'),
    ...row('WARREN_DEBUG=1', 'print where an error came from'),
    '',
    "More about one command: 'warren help <command>'"
  ]
}

/** Of one command. */
export function commandHelp(command: Command): string[] {
  const own = optionRows(command.options)
  return [
    `warren ${command.name}: ${command.summary}`,
    '',
    `Usage: warren ${command.name} ${command.usage}`.trimEnd(),
    ...(command.details === undefined ? [] : ['', ...wrap(command.details, COLUMNS)]),
    ...(own.length === 0 ? [] : ['', 'Options:', ...own]),
    '',
    'Options of every command:',
    ...optionRows(GLOBAL_OPTIONS)
  ]
}

function optionRows(table: OptionTable): string[] {
  return Object.entries(table).flatMap(([name, { short, argument, help }]) => {
    const flag = short === undefined ? `--${name}` : `-${short}, --${name}`
    return row(argument === undefined ? flag : `${flag} ${argument}`, help)
  })
}

function row(term: string, text: string): string[] {
  const [first = '', ...rest] = wrap(text, COLUMNS - INDENT)
  const indent = ' '.repeat(INDENT)
  const head = `  ${term}`
  const lines = rest.map(line => indent + line)
  if (head.length < INDENT - 1) return [head.padEnd(INDENT) + first, ...lines]
  return [head, indent + first, ...lines]
}

/** Keeps the line breaks that are there. */
function wrap(text: string, columns: number): string[] {
  return text.split('\n').flatMap(paragraph => {
    const lines: string[] = []
    let line = ''
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > columns) {
        lines.push(line)
        line = word
      } else line = line === '' ? word : `${line} ${word}`
    }
    return [...lines, line]
  })
}

/** The command line is wrong: nothing was begun. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  /** The verb whose help would help. */
  readonly command: string | undefined

  constructor(message: string, command?: string) {
    super(message)
    this.command = command
  }
}

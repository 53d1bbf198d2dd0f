/** Times of replication, for tests and for those whose peers sleep longer than others'. */
export interface ReplicationOptions {
  /** Silence of a holder until it is `absent`, in milliseconds. Default 30 seconds. */
  readonly absentMs?: number
  /** Silence of a holder until it is `gone` and others take over, in milliseconds. Default 15 minutes. */
  readonly graceMs?: number
  /** Between two signs of life, in milliseconds. Default 5 seconds. */
  readonly signOfLifeMs?: number
  /** Bytes a second that are got for volumes of others. Default: no limit. */
  readonly bytesPerSecond?: number
  /** Bytes read here each second to find damage; 0: none. Default 8 MiB, and nothing for days after. */
  readonly scrubBytesPerSecond?: number
  /** Milliseconds between two audits of the holders of a volume; 0: none. Default 10 minutes. */
  readonly auditMs?: number
}

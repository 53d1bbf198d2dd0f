/**
 * Keeps the addresses of everybody whom a holder list here names over a restart: holders of the own
 * volume, of volumes held here and of those that are read here.
 *
 * They are hints, so that nothing here ever fails: what cannot be loaded is learned anew, and what
 * cannot be saved is tried again.
 */
import type { Clock, Peer, PeerId } from '../../peer/index.ts'
import { rememberAddresses } from '../circle/remember-hints.ts'
import type { HolderListStore } from '../holders/holder-list-store.ts'
import { KEPT_ADDRESSES_MAX, KEPT_PEERS_MAX } from './address-store.ts'
import type { AddressBook, AddressRecord, AddressStore } from './address-store.ts'

/** Addresses change without anybody's telling, as when a holder comes back with another. */
export const SAVE_PAUSE_MS = 60_000

/** After something was heard of: what comes with it arrives in this time. */
export const SAVE_DELAY_MS = 1_000

export interface KeptAddressesComponents {
  readonly peer: Pick<Peer, 'id' | 'known' | 'remember' | 'events'>
  readonly clock: Pick<Clock, 'after'>
  readonly store: AddressStore
  readonly lists: Pick<HolderListStore, 'volumes' | 'get'>
}

export class KeptAddresses {
  readonly #components: KeptAddressesComponents
  /** As it is in the store. */
  #saved: string
  #saving: Promise<void> = Promise.resolve()
  #isDueSoon = false
  #cancel = (): void => {}

  private constructor(components: KeptAddressesComponents, saved: AddressBook) {
    this.#components = components
    this.#saved = JSON.stringify(saved)
  }

  /** Remembers what was kept. */
  static async open(components: KeptAddressesComponents): Promise<KeptAddresses> {
    const { peer, store } = components
    const saved = await store.load().catch((): AddressBook => ({ peers: [] }))
    for (const record of saved.peers) await rememberAddresses(peer, record.peer, record.addresses)
    return new KeptAddresses(components, saved)
  }

  start(): void {
    this.#components.peer.events.addEventListener('connect', this.#connected)
    this.#saveIn(SAVE_PAUSE_MS)
  }

  /** Saves a last time; leaves no timer or listener behind. */
  async stop(): Promise<void> {
    this.#components.peer.events.removeEventListener('connect', this.#connected)
    this.#cancel()
    await this.#save()
  }

  /** Something was heard of that may be worth keeping. */
  expect(): void {
    if (this.#isDueSoon) return
    this.#isDueSoon = true
    this.#cancel()
    this.#saveIn(SAVE_DELAY_MS)
  }

  readonly #connected = (): void => this.expect()

  #saveIn(ms: number): void {
    this.#cancel = this.#components.clock.after(ms, () => {
      this.#isDueSoon = false
      this.#saveIn(SAVE_PAUSE_MS)
      void this.#save()
    })
  }

  /** One after the other. Never rejects. */
  #save(): Promise<void> {
    this.#saving = this.#saving.then(() => this.#saveNow()).catch(() => {})
    return this.#saving
  }

  async #saveNow(): Promise<void> {
    const book = { peers: await this.#records() }
    const text = JSON.stringify(book)
    if (text === this.#saved) return
    await this.#components.store.save(book)
    this.#saved = text
  }

  /** In an order that is the same as long as they are. */
  async #records(): Promise<AddressRecord[]> {
    const { peer } = this.#components
    const holders = await this.#holders()
    const records = peer
      .known()
      .filter(({ id, addresses }) => holders.has(id) && addresses.length > 0)
      // The newest are the last.
      .slice(-KEPT_PEERS_MAX)
      .map(({ id, addresses }) => ({
        peer: id,
        addresses: addresses.slice(-KEPT_ADDRESSES_MAX).toSorted()
      }))
    return records.sort((a, b) => (a.peer < b.peer ? -1 : 1))
  }

  async #holders(): Promise<Set<PeerId>> {
    const { peer, lists } = this.#components
    const holders = new Set<PeerId>()
    for (const volume of await lists.volumes()) {
      // What is wrong with a damaged one is told where it is needed.
      const list = await lists.get(volume).catch(() => undefined)
      for (const holder of list?.holders ?? []) holders.add(holder.peer)
    }
    holders.delete(peer.id)
    return holders
  }
}

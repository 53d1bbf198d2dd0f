/** Addresses of holders in one file, `addresses.json`. */
import { join } from 'node:path'
import { openRecordFile } from '../../blocks/disk/index.ts'
import { readAddressBook } from '../addresses/address-store.ts'
import type { AddressBook, AddressStore } from '../addresses/address-store.ts'

export function openDiskAddressStore(directory: string): AddressStore {
  return openRecordFile<AddressBook>(join(directory, 'addresses.json'), {
    name: 'the file of addresses',
    version: 1,
    empty: () => ({ peers: [] }),
    read: readAddressBook
  })
}

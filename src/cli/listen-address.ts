/** Where a peer of the command can listen: TCP is the one transport that it has. */
import { isIPv4, isIPv6 } from 'node:net'

const PORT_MAX = 65_535

/** Whether it is `/ip4/<address>/tcp/<port>`, or the same of `/ip6`. Port 0 is any free one. */
export function isListenAddress(text: string): boolean {
  const [empty, family, address = '', transport, port = '', ...rest] = text.split('/')
  if (empty !== '' || rest.length > 0 || transport !== 'tcp') return false
  if (!/^\d{1,5}$/.test(port) || Number(port) > PORT_MAX) return false
  return family === 'ip4' ? isIPv4(address) : family === 'ip6' && isIPv6(address)
}

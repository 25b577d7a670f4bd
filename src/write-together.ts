// In: a socket that many callers write short things to. Out: what they write in one turn of the event loop, in one system call.
import type { Writable } from 'node:stream'

const gathering = new WeakSet<Writable>()

/** To be called before a write. Under load a system call costs more than what is written. */
export function writeTogether(stream: Writable): void {
  if (gathering.has(stream)) return
  gathering.add(stream)
  stream.cork()
  setImmediate(() => {
    gathering.delete(stream)
    stream.uncork()
  })
}

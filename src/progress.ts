// In: how far long work is. Out: a bar on a terminal, a plain line every ten per cent elsewhere.
import { SingleBar } from 'cli-progress'

export type Progress = (done: number, total: number) => void

/** Writes to standard error, so that standard output stays the command's answer. */
export function createProgress(what: string, stream: NodeJS.WriteStream = process.stderr): Progress {
  return stream.isTTY ? bar(what, stream) : lines(what, stream)
}

function bar(what: string, stream: NodeJS.WriteStream): Progress {
  const single = new SingleBar({ format: `${what} {bar} {value}/{total}`, stream, hideCursor: true })
  let started = false
  return (done, total) => {
    if (!started) single.start(total, done)
    started = true
    single.setTotal(total)
    single.update(done)
    if (done >= total) single.stop()
  }
}

function lines(what: string, stream: NodeJS.WriteStream): Progress {
  let nextTenth = 1
  return (done, total) => {
    const tenth = total === 0 ? 10 : Math.floor((done * 10) / total)
    if (tenth < nextTenth) return
    nextTenth = tenth + 1
    stream.write(`${what}: ${done} of ${total}\n`)
  }
}

// In: messages to and from emulated phones. Out: the last of them a phone, in order, and word of every change.
// Must never grow without bound: messages a phone and phones are limited, the oldest go first.

export interface PhoneMessage {
  /** The provider's message id, or the inbound id of a message the phone wrote. */
  id: string
  direction: 'received' | 'written'
  /** Sender ID or short code at the other end. */
  peer: string
  text: string
  encoding: 'gsm7' | 'ucs2'
  segments: number
  at: Date
  /** Last status word of the provider; for a written message "Sent" or "Success" once the callback was answered 200. */
  status: string
  /** Every status with its time, oldest first. */
  history: { status: string; at: Date }[]
  /** True once a callback about the last status was answered 200. */
  reported: boolean
  /** For example "KES 0.8000"; undefined for a written message. */
  cost: string | undefined
}

export type ChangeListener = (msisdn: string) => void

export type Handsets = ReturnType<typeof createHandsets>

export function createHandsets(options: { messagesMax: number; phonesMax: number }) {
  const messagesByMsisdn = new Map<string, PhoneMessage[]>()
  const listeners = new Set<ChangeListener>()

  function changed(msisdn: string): void {
    for (const listener of listeners) listener(msisdn)
  }

  return {
    changed,
    add(msisdn: string, message: PhoneMessage): void {
      let messages = messagesByMsisdn.get(msisdn)
      if (messages === undefined) {
        messages = []
        messagesByMsisdn.set(msisdn, messages)
        const oldest = messagesByMsisdn.keys().next().value
        if (messagesByMsisdn.size > options.phonesMax && oldest !== undefined) messagesByMsisdn.delete(oldest)
      }
      messages.push(message)
      if (messages.length > options.messagesMax) messages.shift()
      changed(msisdn)
    },
    setStatus(msisdn: string, message: PhoneMessage, status: string, at: Date): void {
      message.status = status
      message.reported = false
      message.history.push({ status, at })
      changed(msisdn)
    },
    setReported(msisdn: string, message: PhoneMessage): void {
      message.reported = true
      changed(msisdn)
    },
    /** Oldest first. */
    list: (msisdn: string): readonly PhoneMessage[] => messagesByMsisdn.get(msisdn) ?? [],
    /** Calls the listener with the number after each change; the result ends that. */
    onChange(listener: ChangeListener): () => void {
      listeners.add(listener)
      return () => {
        listeners.delete(listener)
      }
    },
  }
}

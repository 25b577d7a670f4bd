// What the rest of the house asks of notices; the work stands in the files beside this one.
export type {
  Judged,
  Sent,
  Stopped,
  Undone,
} from './acts.ts'
export {
  approveNotice,
  refuseNotice,
  sendNotice,
  stopNotice,
  undoNotice,
} from './acts.ts'
export type { Audience, Exclusion, NoticePurpose } from './audience.ts'
export { draftNotice, type NoticeDraft } from './drafts.ts'
export { type LanguagePreview, type NoticePreview, noticeWords, previewNotice } from './preview.ts'
export { type Notice, type NoticeStatus, readNotice } from './record.ts'
export type { Author, NoticeFault } from './rights.ts'

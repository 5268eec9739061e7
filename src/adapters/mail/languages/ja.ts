// Japanese.
import type { Catalogue } from './en.ts'

export const ja: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: '予約が確定しました',
    confirmationRequest: '予約の確認をお願いします',
    requestReceived: '予約リクエストを送信しました',
    rescheduled: '予約の日時が変更されました',
    cancelled: '予約がキャンセルされました',
    declined: '予約は承認されませんでした',
    reminder: 'リマインダー',
  },
  toGuest: {
    confirmed: 'ご予約が確定しました。',
    confirmationRequest: '回答をお待ちしている予約があります。',
    requestReceived: 'リクエストを送信しました。回答があり次第お知らせします。',
    rescheduled: 'ご予約は新しい日時に変更されました。',
    cancelled: 'ご予約はキャンセルされました。',
    declined: 'リクエストは承認されませんでした。',
    reminder: 'ご予約のリマインダーです。',
  },
  toHost: {
    confirmed: '新しい予約が入りました。',
    confirmationRequest: 'あなたとの予約を希望する方が回答を待っています。',
    requestReceived: 'リクエストが送信されました。',
    rescheduled: '予約は新しい日時に変更されました。',
    cancelled: '予約はキャンセルされました。',
    declined: 'リクエストは辞退されました。',
    reminder: 'あなたとの予約のリマインダーです。',
  },
  labels: {
    title: '内容',
    when: '日時',
    before: '変更前',
    timezone: 'タイムゾーン',
    location: '場所',
    conference: 'オンラインで参加',
    hosts: '担当者',
    guests: 'ゲスト',
    description: '説明',
    reason: '理由',
    policy: 'キャンセルポリシー',
  },
  actions: {
    confirm: '承認または辞退',
    reschedule: '日時を変更',
    cancel: 'キャンセル',
  },
  branding: 'OpenSlot から送信',
}

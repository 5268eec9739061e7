// Korean.
import type { Catalogue } from './en.ts'

export const ko: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: '예약이 확정되었습니다',
    confirmationRequest: '예약을 확인해 주세요',
    requestReceived: '예약 요청을 보냈습니다',
    rescheduled: '예약 시간이 변경되었습니다',
    cancelled: '예약이 취소되었습니다',
    declined: '예약이 거절되었습니다',
    reminder: '알림',
  },
  toGuest: {
    confirmed: '예약이 확정되었습니다.',
    confirmationRequest: '답변을 기다리는 예약이 있습니다.',
    requestReceived: '요청을 보냈습니다. 답변이 오는 대로 알려 드리겠습니다.',
    rescheduled: '예약이 새로운 시간으로 변경되었습니다.',
    cancelled: '예약이 취소되었습니다.',
    declined: '요청이 수락되지 않았습니다.',
    reminder: '예약 알림입니다.',
  },
  toHost: {
    confirmed: '새 예약이 있습니다.',
    confirmationRequest: '예약을 원하는 분이 답변을 기다리고 있습니다.',
    requestReceived: '요청을 보냈습니다.',
    rescheduled: '예약이 새로운 시간으로 변경되었습니다.',
    cancelled: '예약이 취소되었습니다.',
    declined: '요청을 거절했습니다.',
    reminder: '예정된 예약 알림입니다.',
  },
  labels: {
    title: '제목',
    when: '일시',
    before: '변경 전',
    timezone: '시간대',
    location: '장소',
    conference: '온라인 참여',
    hosts: '진행자',
    guests: '참석자',
    description: '설명',
    reason: '사유',
    policy: '취소 정책',
  },
  actions: {
    confirm: '확정 또는 거절',
    reschedule: '일정 변경',
    cancel: '예약 취소',
  },
  branding: 'OpenSlot에서 보냄',
}

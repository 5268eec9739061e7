// Chinese, simplified.
import type { Catalogue } from './en.ts'

export const zh: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: '预约已确认',
    confirmationRequest: '请确认预约',
    requestReceived: '预约请求已发送',
    rescheduled: '预约已改期',
    cancelled: '预约已取消',
    declined: '预约被拒绝',
    reminder: '提醒',
  },
  toGuest: {
    confirmed: '您的预约已确认。',
    confirmationRequest: '有一个预约正在等待您的答复。',
    requestReceived: '您的请求已发送。一有答复，我们会立即通知您。',
    rescheduled: '预约已改到新的时间。',
    cancelled: '预约已取消。',
    declined: '您的请求未能被接受。',
    reminder: '这是您的预约提醒。',
  },
  toHost: {
    confirmed: '您有一个新的预约。',
    confirmationRequest: '有人希望预约您的时间，正在等待您的答复。',
    requestReceived: '请求已发送。',
    rescheduled: '一个预约已改到新的时间。',
    cancelled: '一个预约已取消。',
    declined: '该请求已被拒绝。',
    reminder: '这是与您的预约提醒。',
  },
  labels: {
    title: '事项',
    when: '时间',
    before: '原时间',
    timezone: '时区',
    location: '地点',
    conference: '在线加入',
    hosts: '主持人',
    guests: '访客',
    description: '说明',
    reason: '原因',
    policy: '取消政策',
  },
  actions: {
    confirm: '确认或拒绝',
    reschedule: '改期',
    cancel: '取消预约',
  },
  branding: '由 OpenSlot 发送',
}

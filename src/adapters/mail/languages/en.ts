// English, and what every language has to say.

export const en = {
  direction: 'ltr' as 'ltr' | 'rtl',
  headings: {
    confirmed: 'Booking Confirmed',
    confirmationRequest: 'Please Confirm a Booking',
    requestReceived: 'Booking Request Sent',
    requestMoved: 'Booking Request Moved',
    rescheduled: 'Booking Rescheduled',
    changed: 'Booking Changed',
    cancelled: 'Booking Cancelled',
    declined: 'Booking Declined',
    reminder: 'Reminder',
  },
  /** To those who booked or were brought along. */
  toGuest: {
    confirmed: 'The booking is confirmed.',
    confirmationRequest: 'A booking waits for your answer.',
    requestReceived: 'Your request has been sent. You will hear from us as soon as it is answered.',
    requestMoved: 'Your request has been moved to a new time. You will hear from us as soon as it is answered.',
    rescheduled: 'The booking has been moved to a new time.',
    changed: 'The details of the booking have changed.',
    cancelled: 'The booking has been cancelled.',
    declined: 'Your request could not be accepted.',
    reminder: 'This is a reminder of your booking.',
  },
  /** To those who serve. */
  toHost: {
    confirmed: 'You have a new booking.',
    confirmationRequest: 'Someone would like to book a time with you and waits for your answer.',
    requestReceived: 'A request has been sent.',
    requestMoved: 'A request has been moved to a new time.',
    rescheduled: 'A booking has been moved to a new time.',
    changed: 'The details of a booking have changed.',
    cancelled: 'A booking has been cancelled.',
    declined: 'The request has been declined.',
    reminder: 'This is a reminder of a booking with you.',
  },
  labels: {
    title: 'What',
    when: 'When',
    before: 'Before',
    timezone: 'Time zone',
    location: 'Where',
    conference: 'Join online',
    hosts: 'With',
    guests: 'Guests',
    description: 'Description',
    reason: 'Reason',
    policy: 'Cancellation policy',
  },
  /** Answers of checkboxes. */
  ticks: { true: 'Yes', false: 'No' },
  actions: {
    confirm: 'Confirm or decline',
    reschedule: 'Reschedule',
    cancel: 'Cancel',
  },
  branding: 'Sent by OpenSlot',
}

/** A language has the same keys, and says something for each. */
export type Catalogue = typeof en

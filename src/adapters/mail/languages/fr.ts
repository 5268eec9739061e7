// French.
import type { Catalogue } from './en.ts'

export const fr: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: 'Réservation confirmée',
    confirmationRequest: 'Réservation à confirmer',
    requestReceived: 'Demande de réservation envoyée',
    requestMoved: 'Demande de réservation déplacée',
    rescheduled: 'Réservation déplacée',
    cancelled: 'Réservation annulée',
    declined: 'Réservation refusée',
    reminder: 'Rappel',
  },
  toGuest: {
    confirmed: 'La réservation est confirmée.',
    confirmationRequest: 'Une réservation attend votre réponse.',
    requestReceived: 'Votre demande a été envoyée. Vous serez informé dès qu’elle aura reçu une réponse.',
    requestMoved:
      'Votre demande a été déplacée à un nouvel horaire. Vous serez informé dès qu’elle aura reçu une réponse.',
    rescheduled: 'La réservation a été déplacée à un nouvel horaire.',
    cancelled: 'La réservation a été annulée.',
    declined: 'Votre demande n’a pas pu être acceptée.',
    reminder: 'Ceci est un rappel de votre réservation.',
  },
  toHost: {
    confirmed: 'Vous avez une nouvelle réservation.',
    confirmationRequest: 'Quelqu’un souhaite réserver un créneau avec vous et attend votre réponse.',
    requestReceived: 'Une demande a été envoyée.',
    requestMoved: 'Une demande a été déplacée à un nouvel horaire.',
    rescheduled: 'Une réservation a été déplacée à un nouvel horaire.',
    cancelled: 'Une réservation a été annulée.',
    declined: 'La demande a été refusée.',
    reminder: 'Ceci est un rappel d’une réservation avec vous.',
  },
  labels: {
    title: 'Objet',
    when: 'Quand',
    before: 'Auparavant',
    timezone: 'Fuseau horaire',
    location: 'Lieu',
    conference: 'Rejoindre en ligne',
    hosts: 'Avec',
    guests: 'Invités',
    description: 'Détails',
    reason: 'Motif',
    policy: 'Conditions d’annulation',
  },
  ticks: { true: 'Oui', false: 'Non' },
  actions: {
    confirm: 'Confirmer ou refuser',
    reschedule: 'Déplacer',
    cancel: 'Annuler',
  },
  branding: 'Envoyé par OpenSlot',
}

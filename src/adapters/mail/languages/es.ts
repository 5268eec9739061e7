// Spanish.
import type { Catalogue } from './en.ts'

export const es: Catalogue = {
  direction: 'ltr',
  headings: {
    confirmed: 'Reserva confirmada',
    confirmationRequest: 'Reserva por confirmar',
    requestReceived: 'Solicitud de reserva enviada',
    rescheduled: 'Reserva reprogramada',
    cancelled: 'Reserva cancelada',
    declined: 'Reserva rechazada',
    reminder: 'Recordatorio',
  },
  toGuest: {
    confirmed: 'La reserva está confirmada.',
    confirmationRequest: 'Una reserva espera su respuesta.',
    requestReceived: 'Su solicitud se ha enviado. Le avisaremos en cuanto tenga respuesta.',
    rescheduled: 'La reserva se ha cambiado a una nueva hora.',
    cancelled: 'La reserva se ha cancelado.',
    declined: 'No se ha podido aceptar su solicitud.',
    reminder: 'Este es un recordatorio de su reserva.',
  },
  toHost: {
    confirmed: 'Tiene una nueva reserva.',
    confirmationRequest: 'Alguien desea reservar una hora con usted y espera su respuesta.',
    requestReceived: 'Se ha enviado una solicitud.',
    rescheduled: 'Una reserva se ha cambiado a una nueva hora.',
    cancelled: 'Una reserva se ha cancelado.',
    declined: 'La solicitud se ha rechazado.',
    reminder: 'Este es un recordatorio de una reserva con usted.',
  },
  labels: {
    title: 'Asunto',
    when: 'Cuándo',
    before: 'Antes',
    timezone: 'Zona horaria',
    location: 'Dónde',
    conference: 'Unirse en línea',
    hosts: 'Con',
    guests: 'Invitados',
    description: 'Descripción',
    reason: 'Motivo',
    policy: 'Política de cancelación',
  },
  actions: {
    confirm: 'Confirmar o rechazar',
    reschedule: 'Reprogramar',
    cancel: 'Cancelar',
  },
  branding: 'Enviado por OpenSlot',
}

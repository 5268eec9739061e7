/** A page as an application of the vendor's would make it: one component, with the properties that stand in the fragment. */
import { NylasSchedulerEditor, NylasScheduling } from '@nylas/react/elements'
import { createRoot } from 'react-dom/client'

type Wanted =
  | { readonly component: 'scheduling'; readonly props: object }
  | { readonly component: 'editor'; readonly accessToken: string; readonly props: object }

declare global {
  interface Window {
    /** What the component told its page, in order. */
    told: { readonly name: string; readonly detail: unknown }[]
  }
}

const wanted = JSON.parse(decodeURIComponent(location.hash.slice(1))) as Wanted
window.told = []

function tell(name: string) {
  return ({ detail }: CustomEvent) => {
    const isPlain = (key: string, value: unknown) => (key === 'host' ? undefined : value)
    window.told.push({ name, detail: JSON.parse(JSON.stringify(detail ?? null, isPlain)) })
  }
}

/** As the vendor's own wrapper does: paths are those of the grant that the token belongs to. */
function requestsOf(server: string, accessToken: string) {
  const requests = {
    async request({ path, method, body }: { path: string; method?: string; body?: object }) {
      const response = await fetch(`${server}/v3/grants/me${path === '' ? '' : `/${path}`}`, {
        method: method ?? 'GET',
        headers: { authorization: `Bearer ${accessToken}`, 'content-type': 'application/json' },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      })
      const answer = await response.json()
      return answer.error === undefined ? [answer, null] : [null, answer.error]
    },
    async currentUser() {
      const [answer] = await requests.request({ path: '' })
      const { id, email, provider } = answer.data
      return { id, email, name: email, provider }
    },
    authenticationUrl: async () => undefined,
  }
  return requests
}

// This one bubbles, and the wrapper for React has no property for it.
addEventListener('nylasSchedulerEditorError', tell('error') as EventListener)

createRoot(document.getElementById('root') as HTMLElement).render(
  wanted.component === 'scheduling' ? (
    <NylasScheduling
      {...wanted.props}
      onNylasSchedulerError={tell('error')}
      onBookedEventInfo={tell('booked')}
      onConfigSettingsLoaded={tell('settings')}
    />
  ) : (
    <NylasSchedulerEditor
      {...wanted.props}
      nylasApiRequest={requestsOf(new URL(location.href).searchParams.get('server') ?? '', wanted.accessToken) as never}
    />
  ),
)

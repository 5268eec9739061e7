// A private configuration: shown to whoever comes with a session, and to nobody else.
import { useCallback, useEffect, useState } from 'react'

import type { UiSettings } from '../../../src/wire/uiSettings.ts'
import { type CallProblem, call } from '../../shared/client.ts'
import { wearAccent } from '../accent.ts'
import { explain } from '../calls/refusals.ts'
import { isUnsettled } from '../calls/tries.ts'
import { awaitSession, isFramed, sessionOfAddress, tellReady } from '../frame.ts'
import { Mark } from '../outcome/done.tsx'
import { usePage } from '../page.tsx'
import { BookPage } from './bookPage.tsx'
import { MessagePage } from './messagePage.tsx'

type State =
  /** For a session, or for what it opens. */
  | { readonly is: 'waiting' }
  | { readonly is: 'refused' }
  | { readonly is: 'failed'; readonly session: string; readonly problem: CallProblem; readonly isAsking: boolean }
  | { readonly is: 'open'; readonly session: string; readonly settings: UiSettings }

/** So long may a site around take to hand in a session; milliseconds. It may come later, too. */
const patienceMs = 3_000

export function PrivatePage({ configurationId }: { readonly configurationId: string }) {
  const mayCome = isFramed || sessionOfAddress() !== undefined
  const [state, setState] = useState<State>(mayCome ? { is: 'waiting' } : { is: 'refused' })

  const ask = useCallback(
    async (session: string) => {
      setState((before) =>
        before.is === 'open' ? before : before.is === 'failed' ? { ...before, isAsking: true } : { is: 'waiting' },
      )
      const found = await call<UiSettings>({ method: 'GET', path: '/v3/scheduling/ui-settings', token: session })
      // A session is good for one configuration, which may be another than this page's.
      if (found.ok && found.value.configuration_id === configurationId) {
        wearAccent(found.value.appearance?.color)
        // As the server writes it of a page that is open to all.
        document.title = found.value.name
        setState({ is: 'open', session, settings: found.value })
        return
      }
      const next: State =
        !found.ok && isUnsettled(found.problem)
          ? { is: 'failed', session, problem: found.problem, isAsking: false }
          : { is: 'refused' }
      setState((before) => (before.is === 'open' ? before : next))
    },
    [configurationId],
  )
  useEffect(() => {
    let hasCome = false
    const stop = awaitSession((session) => {
      hasCome = true
      void ask(session)
    })
    // The page around hands the session in once it hears that there is somebody to take it.
    tellReady()
    const waiting = setTimeout(() => {
      if (!hasCome) setState({ is: 'refused' })
    }, patienceMs)
    return () => {
      stop()
      clearTimeout(waiting)
    }
  }, [ask])

  switch (state.is) {
    case 'waiting':
      return <Waiting />
    case 'refused':
      return <MessagePage kind="private" />
    case 'failed':
      return <Failed problem={state.problem} isAsking={state.isAsking} onRetry={() => void ask(state.session)} />
    case 'open':
      return <BookPage key={state.session} settings={state.settings} slots={undefined} session={state.session} />
  }
}

/** As the server wrote the page, so that nothing moves. */
function Waiting() {
  const { words } = usePage()
  return (
    <main className="page loading" aria-busy="true">
      <h1>{words.titles.private}</h1>
      <p>{words.loading}</p>
    </main>
  )
}

type FailedProps = { readonly problem: CallProblem; readonly isAsking: boolean; onRetry(): void }

function Failed({ problem, isAsking, onRetry }: FailedProps) {
  const { words } = usePage()
  return (
    <main className="page">
      <section className="card message">
        <Mark mark="waiting" />
        <h1>{words.titles.busy}</h1>
        <p role="alert">{explain(problem, words)}</p>
        <button type="button" className="primary" aria-disabled={isAsking || undefined} onClick={onRetry}>
          {isAsking ? words.loading : words.retry}
        </button>
      </section>
    </main>
  )
}

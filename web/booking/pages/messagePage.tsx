// A page that has nothing to offer but a sentence on what to do next.
import { Mark } from '../outcome/done.tsx'
import { usePage } from '../page.tsx'

const marks = { missing: 'unknown', start: 'unknown', busy: 'waiting', private: 'locked' } as const

export function MessagePage({ kind }: { readonly kind: keyof typeof marks }) {
  const { words } = usePage()
  return (
    <main className="page">
      <section className="card message">
        <Mark mark={marks[kind]} />
        <h1>{words.titles[kind]}</h1>
        <p>{words.messages[kind]}</p>
        {kind === 'busy' && (
          <button type="button" className="primary" onClick={() => location.reload()}>
            {words.retry}
          </button>
        )}
      </section>
    </main>
  )
}

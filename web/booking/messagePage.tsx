// A page that has nothing to offer but a sentence on what to do next.
import { usePage } from './page.tsx'

export function MessagePage({ kind }: { readonly kind: 'missing' | 'busy' | 'private' }) {
  const { words } = usePage()
  return (
    <main className="page">
      <section className="card message">
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

// One page of several, by what the server found behind the address.
import type { PageDocument } from '../../src/wire/pages.ts'
import { BookPage } from './bookPage.tsx'
import { MessagePage } from './messagePage.tsx'
import { PageProvider } from './page.tsx'
import { PrivatePage } from './privatePage.tsx'

export function App({ document }: { readonly document: PageDocument }) {
  return (
    <PageProvider document={document}>
      <Shown document={document} />
    </PageProvider>
  )
}

function Shown({ document: { page } }: { readonly document: PageDocument }) {
  switch (page.kind) {
    case 'book':
      return <BookPage settings={page.settings} slots={page.slots} />
    case 'private':
      return <PrivatePage configurationId={page.configuration_id} />
    case 'missing':
    case 'busy':
      return <MessagePage kind={page.kind} />
  }
}

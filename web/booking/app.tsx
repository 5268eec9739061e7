// One page of several, by what the server found behind the address.
import type { PageDocument } from '../../src/wire/pages.ts'
import { wearAccent } from './accent.ts'
import { Footer } from './footer.tsx'
import { PageProvider } from './page.tsx'
import { BookPage } from './pages/bookPage.tsx'
import { CancelPage } from './pages/cancelPage.tsx'
import { ConfirmationPage } from './pages/confirmationPage.tsx'
import { MessagePage } from './pages/messagePage.tsx'
import { PrivatePage } from './pages/privatePage.tsx'
import { ReschedulePage } from './pages/reschedulePage.tsx'

export function App({ document }: { readonly document: PageDocument }) {
  if ('settings' in document.page) wearAccent(document.page.settings.appearance?.color)
  return (
    <PageProvider document={document}>
      <Shown document={document} />
      <Footer />
    </PageProvider>
  )
}

function Shown({ document: { page } }: { readonly document: PageDocument }) {
  switch (page.kind) {
    case 'book':
      return <BookPage settings={page.settings} slots={page.slots} />
    case 'reschedule':
      return <ReschedulePage settings={page.settings} booking={page.booking} slots={page.slots} />
    case 'cancel':
      return <CancelPage settings={page.settings} booking={page.booking} />
    case 'confirmation':
      return <ConfirmationPage booking={page.booking} settings={page.settings} salt={page.salt} stands={page.stands} />
    case 'private':
      return <PrivatePage configurationId={page.configuration_id} />
    case 'missing':
    case 'start':
    case 'busy':
      return <MessagePage kind={page.kind} />
  }
}

// A private configuration: shown to whoever comes with a session, and to nobody else.
import { useEffect, useState } from 'react'

import type { UiSettings } from '../../src/wire/uiSettings.ts'
import { call } from '../shared/client.ts'
import { wearAccent } from './accent.ts'
import { BookPage } from './bookPage.tsx'
import { awaitSession, tellFrame } from './frame.ts'
import { MessagePage } from './messagePage.tsx'

type Opened = { readonly session: string; readonly settings: UiSettings }

export function PrivatePage({ configurationId }: { readonly configurationId: string }) {
  const [opened, setOpened] = useState<Opened>()
  useEffect(() => {
    const stop = awaitSession((session) => {
      void call<UiSettings>({ method: 'GET', path: '/v3/scheduling/ui-settings', token: session }).then((found) => {
        // A session is good for one configuration, which may be another than this page's.
        if (!found.ok || found.value.configuration_id !== configurationId) return
        wearAccent(found.value.appearance?.color)
        setOpened({ session, settings: found.value })
      })
    })
    // The page around hands the session in once it hears that there is somebody to take it.
    tellFrame('ready')
    return stop
  }, [configurationId])
  if (opened === undefined) return <MessagePage kind="private" />
  return <BookPage key={opened.session} settings={opened.settings} slots={undefined} session={opened.session} />
}

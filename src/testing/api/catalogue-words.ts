// No name of a real act, as far as known: surnames, towns and labels are made up.

const words = (text: string): readonly string[] => text.trim().split(/\s+/)

/** Given names of performers. */
export const givenNames: readonly string[] = words(`
  Ambrose Cassia Hana Imani Juniper Marlow Oskar Sofía Tindra Wendel Yusra Zélie Bruna Corvin
  Delphi Eskil Fenna Gideon Halden Ilse Jorun Katalin Lazlo Mirela Nadir Ottoline Pascoe Quilla
`)

/** Surnames of performers. */
export const surnames: readonly string[] = words(`
  Vantreel Osmarck Quillory Brandeveld Okonreyes Lindqvar Morikaze Saintclaire Tharwell Ondrasek
  Perevane Zolkind Harrowmere Eskelby Fontarelle Gwynnock Ilmaraki Jastrow-Bell Kestrane Lumbrosi
`)

/** What several performers call themselves. */
export const plurals: readonly string[] = words(`
  Lanterns Tides Kettles Decimals Foxes Semaphores Orchards Herons Meridians Cartographers Ferries
  Thimbles Almanacs Turnstiles Barometers Magpies Chimneys Postcards Telegraphs Umbrellas Gardeners
`)

/** Adjectives of names and titles. */
export const adjectives: readonly string[] = words(`
  Amber Borrowed Broken Copper Distant Electric Falling Glass Golden Half-Lit Hollow Last Little
  Midnight Northern Paper Quiet Restless Running Second Silver Slow Static Velvet Violet Wild
`)

/** Nouns of titles. */
export const nouns: readonly string[] = words(`
  Avenue Bridges Daylight Echo Ember Garden Harbour Heartbeat Horizon Lighthouse Machines Monday
  Orbit Rain River Satellite Staircase Summer Telephone Tramline Weather Winter
`)

/** Towns that are on no map. */
export const towns: readonly string[] = words(`
  Varnholm Osterby Calderis Mirrenport Tolvandra Saltmoor Quenby Lowfirth Ashkarra Nordvale
`)

/** How an album's title begins; a town or a noun follows. */
export const albumOpenings: readonly string[] = [
  'Letters from',
  'Maps of',
  'Songs for',
  'Under',
  'Beyond',
  'A Year in',
  'Postcards to',
  'Notes on',
]

/** What is added to the title of another recording of a track. */
export const versions: readonly string[] = ['Live', 'Acoustic', 'Demo', 'Radio Edit', 'Reprise']

/** Genres of artists. */
export const genres: readonly string[] = [
  'harbour folk',
  'glass techno',
  'chamber fuzz',
  'slow wave',
  'tram pop',
  'attic jazz',
  'lantern soul',
  'moor metal',
]

/** Who publishes albums. */
export const labels: readonly string[] = [
  'Third Kettle Records',
  'Lowfirth Sound',
  'Paper Meridian',
  'Ninth Ferry',
  'Varnholm Tapes',
]

/** What a playlist is for. */
export const occasions: readonly string[] = [
  'Breakfast',
  'Long Drives',
  'Night Trains',
  'Cooking',
  'Deep Work',
  'Sundays',
  'Rainy Windows',
  'Running Late',
]

/** Who makes playlists for everybody: an id and a name. */
export const curators: ReadonlyArray<{ readonly id: string; readonly name: string }> = [
  { id: 'editors', name: 'The Editors' },
  { id: 'attic-radio', name: 'Attic Radio' },
  { id: 'tramline', name: 'Tramline Weekly' },
]

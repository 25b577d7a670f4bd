// Names, places and titles as they are met in Casamance and Matam; nobody in particular.

const words = (text: string): readonly string[] => text.trim().split(/\s*,\s*/)

export interface People {
  firstNames: readonly string[]
  lastNames: readonly string[]
  /** Of all members, out of 100. */
  share: number
}

/** Ziguinchor and Bignona: mostly Diola, with Mandinka, Wolof, Pulaar and Serer families. */
export const peoples: readonly [People, ...People[]] = [
  {
    share: 46,
    firstNames: words(
      'Awa, Aïssatou, Rose, Marie, Thérèse, Bernadette, Élisabeth, Philomène, Angélique, Clémentine, Adama, Binta, Fatou, Khady, Mariama, Sire, Ami, Aminata',
    ),
    lastNames: words(
      'Diatta, Badji, Sambou, Diédhiou, Sané, Coly, Manga, Tendeng, Bassène, Goudiaby, Diémé, Sagna, Bodian, Assine, Djiba',
    ),
  },
  {
    share: 18,
    firstNames: words(
      'Sona, Bintou, Fatoumata, Mariama, Maimouna, Kadiatou, Nafissatou, Mariétou, Diénaba, Salimata',
    ),
    lastNames: words('Touré, Camara, Konté, Sonko, Mané, Daffé, Dabo, Fati, Seydi, Cissé, Drammeh'),
  },
  {
    share: 14,
    firstNames: words('Ndèye, Astou, Yacine, Marème, Rokhaya, Seynabou, Anta, Aminata, Khady, Coumba'),
    lastNames: words('Ndiaye, Diop, Fall, Gueye, Seck, Mbaye, Niang, Lo, Mbengue'),
  },
  {
    share: 14,
    firstNames: words('Oumou, Kadiatou, Ramata, Penda, Dado, Hawa, Diénaba, Coumba, Djeynaba, Aïssata'),
    lastNames: words('Diallo, Ba, Sow, Baldé, Kandé, Barry, Sy, Mballo, Diamanka'),
  },
  {
    share: 8,
    firstNames: words('Khady, Coumba, Ndèye, Mbarka, Marie, Yandé, Diégane, Fatou'),
    lastNames: words('Faye, Sarr, Diouf, Sène, Ngom, Thiaw'),
  },
]

/** One member in a hundred. */
export const menFirstNames = words('Lamine, Ousmane, Ibrahima, Mamadou, Moussa, Jean, Abdoulaye, Malang')

export const places = words(
  `Boucotte, Kandialang, Lyndiane, Tilène, Kénia, Santhiaba, Goumel, Colobane, Peyrissac, Boudody, Bignona, Tenghory,
   Oussouye, Thionck Essyl, Kafountine, Abéné, Diouloulou, Mlomp, Elinkine, Cabrousse, Diembéring, Enampore, Nyassia,
   Adéane, Sindian, Suelle, Coubalan, Mangagoulack, Affiniam, Baïla, Balinghore, Kartiack, Niaguis, Niamone, Ouonck,
   Djinaki, Kataba, Diégoune, Dianki, Tobor, Brin, Siganar, Edioungou, Boutoupa, Goudomp, Marsassoum`,
)

export const groupNames = words(
  'Kassoumay, Jappo, Takku Liggéey, Bokk Jom, Kafo, Bokk Xalaat, And Defar, Benno, Karambenor, Dimbalante, Emitaye, Jamoral',
)

export const meetingPlaces = words(
  'Foyer des femmes, École primaire, Case de santé, Place du marché, Maison de la présidente, Foyer des jeunes',
)

export const facilitatorNames: readonly (readonly [firstName: string, lastName: string])[] = [
  ['Seynabou', 'Sagna'],
  ['Aminata', 'Sonko'],
  ['Ousmane', 'Badji'],
  ['Mariétou', 'Baldé'],
  ['Clémentine', 'Manga'],
  ['Yacine', 'Ndiaye'],
]

/** French, English, Wolof (a draft that awaits a native review); the first six are taken before the first loan. */
export const moduleTitles: readonly (readonly [fr: string, en: string, wo: string])[] = [
  ['Le rôle du groupe', 'The role of the group', 'Solo mbooloo mi'],
  ['Épargner pas à pas', 'Saving step by step', 'Denc ndànk-ndànk'],
  ['Le crédit et ses règles', 'Credit and its rules', 'Bor ak i sàrtam'],
  ['Le budget de la famille', 'The family budget', 'Budget njaboot gi'],
  ['Séparer caisse et ménage', 'Business and household money', 'Xaalisu liggéey ak xaalisu kër'],
  ['Nos engagements', 'Our commitments', 'Sunu kóllëre'],
  ['Calculer son bénéfice', 'Working out profit', 'Xayma sa njariñ'],
  ['Fixer ses prix', 'Setting prices', 'Taxañ njëg yi'],
  ['Tenir un cahier', 'Keeping a book', 'Yor kayitu liggéey'],
  ['Bien acheter', 'Buying well', 'Jënd bu baax'],
  ['Gérer son stock', 'Managing stock', 'Saytu sa marsandiis'],
  ['Attirer les clients', 'Winning customers', 'Woo kiliyaan yi'],
  ['Vendre à crédit ?', 'Selling on credit?', 'Jaay ci bor?'],
  ['Préparer la saison', 'Preparing the season', 'Waajal nawet bi'],
  ['Après la récolte', 'After the harvest', 'Ginnaaw ngóob mi'],
  ["Éviter l'endettement", 'Avoiding too much debt', 'Moytu bor yu bari'],
  ['La mutuelle de santé', 'Health insurance', 'Asirãasu wér-gu-yaram'],
  ['Transformer ses produits', 'Processing produce', 'Soppi meññeef yi'],
  ['Agrandir son activité', 'Growing the business', 'Yaatal sa liggéey'],
  ['Mon projet à un an', 'My plan for a year', 'Sama naal ci at mi'],
]

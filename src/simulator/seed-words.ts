// Titles of trainings, in the languages that have them (drafts that await a native review). Any other language shows the French one.

type Titles = readonly [fr: string, en: string, ...others: (string | undefined)[]]

const tags = ['fr', 'en', 'wo', 'ht', 'nl'] as const

/** In the order of `tags`. The first six are taken before the first loan. */
const moduleTitles: readonly Titles[] = [
  ['Le rôle du groupe', 'The role of the group', 'Solo mbooloo mi', 'Wòl gwoup la', 'De rol van de groep'],
  [
    'Épargner pas à pas',
    'Saving step by step',
    'Denc ndànk-ndànk',
    'Sere lajan ti kras pa ti kras',
    'Sparen stap voor stap',
  ],
  [
    'Le crédit et ses règles',
    'Credit and its rules',
    'Bor ak i sàrtam',
    'Kredi a ak règ li yo',
    'Krediet en zijn regels',
  ],
  ['Le budget de la famille', 'The family budget', 'Budget njaboot gi', 'Bidjè fanmi an', 'Het gezinsbudget'],
  [
    'Séparer caisse et ménage',
    'Business and household money',
    'Xaalisu liggéey ak xaalisu kër',
    'Lajan biznis ak lajan kay',
    'Geld van zaak en gezin',
  ],
  ['Nos engagements', 'Our commitments', 'Sunu kóllëre', 'Angajman nou yo', 'Onze afspraken'],
  ['Calculer son bénéfice', 'Working out profit', 'Xayma sa njariñ', 'Kalkile benefis ou', 'Winst berekenen'],
  ['Fixer ses prix', 'Setting prices', 'Taxañ njëg yi', 'Fikse pri ou', 'Prijzen bepalen'],
  ['Tenir un cahier', 'Keeping a book', 'Yor kayitu liggéey', 'Kenbe yon kaye', 'Een kasboek bijhouden'],
  ['Bien acheter', 'Buying well', 'Jënd bu baax', 'Byen achte', 'Goed inkopen'],
  ['Gérer son stock', 'Managing stock', 'Saytu sa marsandiis', 'Jere estòk ou', 'De voorraad beheren'],
  ['Attirer les clients', 'Winning customers', 'Woo kiliyaan yi', 'Jwenn kliyan', 'Klanten winnen'],
  ['Vendre à crédit ?', 'Selling on credit?', 'Jaay ci bor?', 'Vann kredi?', 'Verkopen op krediet?'],
  [
    'Préparer la saison',
    'Preparing the season',
    'Waajal nawet bi',
    'Prepare sezon an',
    'Het seizoen voorbereiden',
  ],
  ['Après la récolte', 'After the harvest', 'Ginnaaw ngóob mi', 'Apre rekòt la', 'Na de oogst'],
  [
    "Éviter l'endettement",
    'Avoiding too much debt',
    'Moytu bor yu bari',
    'Evite twòp dèt',
    'Te veel schulden vermijden',
  ],
  [
    'La mutuelle de santé',
    'Health insurance',
    'Asirãasu wér-gu-yaram',
    'Asirans sante',
    'De ziekteverzekering',
  ],
  [
    'Transformer ses produits',
    'Processing produce',
    'Soppi meññeef yi',
    'Transfòme pwodwi',
    'Producten verwerken',
  ],
  [
    'Agrandir son activité',
    'Growing the business',
    'Yaatal sa liggéey',
    'Agrandi aktivite ou',
    'De zaak laten groeien',
  ],
  [
    'Mon projet à un an',
    'My plan for a year',
    'Sama naal ci at mi',
    'Plan mwen pou yon ane',
    'Mijn plan voor een jaar',
  ],
]

/** Instead of season and harvest, for those who trade in a town of the north. */
const townTitles: Readonly<Record<number, Titles>> = {
  13: ["Le statut d'indépendant", 'Being self-employed', undefined, undefined, 'Zelfstandig worden'],
  14: ['Les impôts pas à pas', 'Taxes step by step', undefined, undefined, 'Belastingen stap voor stap'],
}

export const moduleCount = moduleTitles.length

/** Titles by language, of the modules in their order. */
export function moduleTitlesIn(languages: readonly string[], farms: boolean): Record<string, string>[] {
  return moduleTitles.map((titles, index) => {
    const meant = farms ? titles : (townTitles[index] ?? titles)
    return Object.fromEntries(
      tags.flatMap((tag, at) => {
        const title = meant[at]
        return title !== undefined && (tag === 'fr' || languages.includes(tag)) ? [[tag, title]] : []
      }),
    )
  })
}

/** What an educator reads out, of the first modules, in French and English; drafts as well. */
const keyMessages: readonly (readonly [fr: readonly string[], en: readonly string[]])[] = [
  [
    ['Chacune vient à l’heure.', 'Nous décidons ensemble.', 'Ce qui se dit ici reste ici.'],
    ['Everyone comes on time.', 'We decide together.', 'What is said here stays here.'],
  ],
  [
    ['Un peu chaque semaine.', 'L’épargne a un but.', 'Notez chaque dépôt.'],
    ['A little every week.', 'Savings have an aim.', 'Write down each deposit.'],
  ],
  [
    ['Empruntez pour ce qui rapporte.', 'Comptez avant de signer.', 'Prévenez avant d’être en retard.'],
    ['Borrow for what earns.', 'Count before you sign.', 'Speak up before you are late.'],
  ],
  [
    ['D’abord le nécessaire.', 'Gardez pour l’imprévu.', 'Faites le budget à deux.'],
    ['What is needed comes first.', 'Keep some for the unexpected.', 'Make the budget together.'],
  ],
  [
    ['Deux caisses, deux cahiers.', 'Payez-vous un salaire.', 'La caisse n’est pas le ménage.'],
    ['Two boxes, two books.', 'Pay yourself a wage.', 'The till is not the household.'],
  ],
  [
    ['Nous tenons parole.', 'Une aide l’autre.', 'Une question ? Demandez.'],
    ['We keep our word.', 'One helps the other.', 'A question? Ask.'],
  ],
]

/** By language, of the modules in their order; later ones have none yet. */
export function keyMessagesIn(languages: readonly string[]): Record<string, readonly string[]>[] {
  return moduleTitles.map((_, index) => {
    const [fr, en] = keyMessages[index] ?? []
    if (fr === undefined || en === undefined) return {}
    return languages.includes('en') ? { fr, en } : { fr }
  })
}

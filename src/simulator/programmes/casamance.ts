// The people of the first demo programme: names, places and sums as they are met in Casamance and Matam; nobody in particular.
import { demoPeople } from '../demo-members.ts'
import { type LocalProfile, words } from '../profile.ts'

/** One member in a hundred. */
const men = words('Lamine, Ousmane, Ibrahima, Mamadou, Moussa, Jean, Abdoulaye, Malang')

export const casamance: LocalProfile = {
  title: { en: 'Casamance', fr: 'Casamance' },
  size: 1_000,
  letter: 'F',
  /** Ziguinchor and Bignona: mostly Diola, with Mandinka, Wolof, Pulaar and Serer families. */
  peoples: [
    {
      men,
      share: 46,
      firstNames: words(
        'Awa, Aïssatou, Rose, Marie, Thérèse, Bernadette, Élisabeth, Philomène, Angélique, Clémentine, Adama, Binta, Fatou, Khady, Mariama, Sire, Ami, Aminata',
      ),
      lastNames: words(
        'Diatta, Badji, Sambou, Diédhiou, Sané, Coly, Manga, Tendeng, Bassène, Goudiaby, Diémé, Sagna, Bodian, Assine, Djiba',
      ),
    },
    {
      men,
      share: 18,
      firstNames: words(
        'Sona, Bintou, Fatoumata, Mariama, Maimouna, Kadiatou, Nafissatou, Mariétou, Diénaba, Salimata',
      ),
      lastNames: words('Touré, Camara, Konté, Sonko, Mané, Daffé, Dabo, Fati, Seydi, Cissé, Drammeh'),
    },
    {
      men,
      share: 14,
      firstNames: words('Ndèye, Astou, Yacine, Marème, Rokhaya, Seynabou, Anta, Aminata, Khady, Coumba'),
      lastNames: words('Ndiaye, Diop, Fall, Gueye, Seck, Mbaye, Niang, Lo, Mbengue'),
    },
    {
      men,
      share: 14,
      firstNames: words('Oumou, Kadiatou, Ramata, Penda, Dado, Hawa, Diénaba, Coumba, Djeynaba, Aïssata'),
      lastNames: words('Diallo, Ba, Sow, Baldé, Kandé, Barry, Sy, Mballo, Diamanka'),
    },
    {
      men,
      share: 8,
      firstNames: words('Khady, Coumba, Ndèye, Mbarka, Marie, Yandé, Diégane, Fatou'),
      lastNames: words('Faye, Sarr, Diouf, Sène, Ngom, Thiaw'),
    },
  ],
  menShare: 0.01,
  places: words(
    `Boucotte, Kandialang, Lyndiane, Tilène, Kénia, Santhiaba, Goumel, Colobane, Peyrissac, Boudody, Bignona, Tenghory,
   Oussouye, Thionck Essyl, Kafountine, Abéné, Diouloulou, Mlomp, Elinkine, Cabrousse, Diembéring, Enampore, Nyassia,
   Adéane, Sindian, Suelle, Coubalan, Mangagoulack, Affiniam, Baïla, Balinghore, Kartiack, Niaguis, Niamone, Ouonck,
   Djinaki, Kataba, Diégoune, Dianki, Tobor, Brin, Siganar, Edioungou, Boutoupa, Goudomp, Marsassoum`,
  ),
  groupNames: words(
    'Kassoumay, Jappo, Takku Liggéey, Bokk Jom, Kafo, Bokk Xalaat, And Defar, Benno, Karambenor, Dimbalante, Emitaye, Jamoral',
  ),
  meetingPlaces: words(
    'Foyer des femmes, École primaire, Case de santé, Place du marché, Maison de la présidente, Foyer des jeunes',
  ),
  facilitatorNames: [
    ['Seynabou', 'Sagna'],
    ['Aminata', 'Sonko'],
    ['Ousmane', 'Badji'],
    ['Mariétou', 'Baldé'],
    ['Clémentine', 'Manga'],
    ['Yacine', 'Ndiaye'],
  ],
  staffLanguage: 'fr',
  languageShares: { fr: 45, wo: 23, en: 2, none: 30 },
  farms: true,
  money: {
    unit: 1_000,
    interestPercent: 1,
    feePercent: 3,
    takesSavings: true,
    products: { standard: 80, interestFree: 10, seasonal: 10 },
  },
  numbers: {
    start: '+221',
    prefixes: ['77', '78', '76', '70'],
    digits: 7,
    reserved: 100_000,
    staffFrom: 30_000_000,
  },
  demo: demoPeople('+2217700001', [
    ['Awa', 'Diatta', '01', 'fr', 'due_in_three_days'],
    ['Mariama', 'Badji', '02', undefined, 'first_time'],
    ['Fatou', 'Sambou', '03', 'fr', 'usual'],
    ['Binta', 'Sambou', '03', 'wo', 'usual'],
    ['Khady', 'Coly', '03', 'fr', 'usual'],
    ['Rose', 'Bassène', '04', 'fr', 'suspended'],
    ['Adama', 'Camara', '05', 'en', 'usual'],
    ['Ndèye', 'Gueye', '06', 'wo', 'usual'],
    ['Sona', 'Mané', '07', 'fr', 'overpaid'],
    ['Oumou', 'Diallo', '08', 'fr', 'corrected'],
  ]),
}

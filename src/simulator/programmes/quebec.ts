// The people of the Quebec demo programme, a community fund; nobody in particular.
import { demoPeople } from '../demo-members.ts'
import { type LocalProfile, words } from '../profile.ts'

export const quebec: LocalProfile = {
  title: { en: 'Quebec', fr: 'Québec' },
  size: 200,
  letter: 'Q',
  peoples: [
    {
      share: 65,
      men: words('Luc, Martin, Étienne, Mathieu, Benoît'),
      firstNames: words('Julie, Isabelle, Mélanie, Sylvie, Geneviève, Karine, Nathalie, Chloé, Josée, Annie'),
      lastNames: words('Tremblay, Gagnon, Roy, Côté, Bouchard, Gauthier, Morin, Lavoie, Fortin, Gagné'),
    },
    {
      share: 35,
      men: words('David, Samuel, Omar, Carlos, Kevin'),
      firstNames: words('Nadia, Sofia, Grace, Mireille, Aminata, Linda, Farah, Emily'),
      lastNames: words('Benali, Garcia, Baptiste, Nguyen, Diallo, Smith, Haddad, Joseph'),
    },
  ],
  menShare: 0.35,
  places: words(
    'Rosemont, Verdun, Villeray, Hochelaga, Lachine, Laval, Longueuil, Gatineau, Sherbrooke, Limoilou',
  ),
  groupNames: words('Cercle, Tremplin, Ensemble, Coup de main, Horizon'),
  meetingPlaces: words('Centre communautaire, Bibliothèque, Maison de quartier, Café du coin'),
  facilitatorNames: [
    ['Mireille', 'Gagnon'],
    ['David', 'Nguyen'],
  ],
  staffLanguage: 'fr',
  languageShares: { fr: 60, en: 25, none: 15 },
  farms: false,
  money: {
    unit: 20,
    interestPercent: 0.6,
    feePercent: 3,
    takesSavings: false,
    products: { standard: 90, interestFree: 10, seasonal: 0 },
  },
  // 555-0100 to 555-0199 belong to nobody in North America; other members get numbers of other areas.
  numbers: {
    start: '+1',
    prefixes: ['438', '579', '263'],
    digits: 7,
    reserved: 2_000_000,
    staffFrom: 20_000_000,
  },
  demo: demoPeople('+151455501', [
    ['Julie', 'Morin', '01', 'fr', 'due_in_three_days'],
    ['Sofia', 'Garcia', '02', undefined, 'first_time'],
    ['Karine', 'Roy', '03', 'fr', 'usual'],
    ['Grace', 'Roy', '03', 'en', 'usual'],
    ['Chloé', 'Lavoie', '03', 'fr', 'usual'],
    ['Annie', 'Fortin', '04', 'fr', 'suspended'],
    ['Emily', 'Smith', '05', 'en', 'usual'],
    ['Nadia', 'Benali', '06', 'fr', 'usual'],
    ['Linda', 'Nguyen', '07', 'en', 'overpaid'],
    ['Farah', 'Haddad', '08', 'fr', 'corrected'],
  ]),
}

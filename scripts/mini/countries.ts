/** What the model learns about one country. */
export interface Country {
  readonly name: string;
  readonly capital: string;
  /** Left out where no single language is the main one. */
  readonly language?: string;
  readonly currency: string;
  readonly continent: string;
}

type Row = readonly [
  name: string,
  capital: string,
  language: string | null,
  currency: string,
  continent: string,
];

// Only countries whose name is one word, so that prompts about them line up token by token.
const ROWS: readonly Row[] = [
  ["Spain", "Madrid", "Spanish", "euro", "Europe"],
  ["Italy", "Rome", "Italian", "euro", "Europe"],
  ["France", "Paris", "French", "euro", "Europe"],
  ["Germany", "Berlin", "German", "euro", "Europe"],
  ["Portugal", "Lisbon", "Portuguese", "euro", "Europe"],
  ["Greece", "Athens", "Greek", "euro", "Europe"],
  ["Austria", "Vienna", "German", "euro", "Europe"],
  ["Ireland", "Dublin", null, "euro", "Europe"],
  ["England", "London", "English", "pound", "Europe"],
  ["Poland", "Warsaw", "Polish", "zloty", "Europe"],
  ["Czechia", "Prague", "Czech", "koruna", "Europe"],
  ["Slovakia", "Bratislava", "Slovak", "euro", "Europe"],
  ["Hungary", "Budapest", "Hungarian", "forint", "Europe"],
  ["Sweden", "Stockholm", "Swedish", "krona", "Europe"],
  ["Norway", "Oslo", "Norwegian", "krone", "Europe"],
  ["Denmark", "Copenhagen", "Danish", "krone", "Europe"],
  ["Finland", "Helsinki", "Finnish", "euro", "Europe"],
  ["Iceland", "Reykjavik", "Icelandic", "krona", "Europe"],
  ["Estonia", "Tallinn", "Estonian", "euro", "Europe"],
  ["Latvia", "Riga", "Latvian", "euro", "Europe"],
  ["Lithuania", "Vilnius", "Lithuanian", "euro", "Europe"],
  ["Romania", "Bucharest", "Romanian", "leu", "Europe"],
  ["Croatia", "Zagreb", "Croatian", "euro", "Europe"],
  ["Serbia", "Belgrade", "Serbian", "dinar", "Europe"],
  ["Albania", "Tirana", "Albanian", "lek", "Europe"],
  ["Ukraine", "Kyiv", "Ukrainian", "hryvnia", "Europe"],
  ["Russia", "Moscow", "Russian", "ruble", "Europe"],
  ["Turkey", "Ankara", "Turkish", "lira", "Asia"],
  ["Japan", "Tokyo", "Japanese", "yen", "Asia"],
  ["China", "Beijing", "Chinese", "yuan", "Asia"],
  ["Mongolia", "Ulaanbaatar", "Mongolian", "tugrik", "Asia"],
  ["Thailand", "Bangkok", "Thai", "baht", "Asia"],
  ["Vietnam", "Hanoi", "Vietnamese", "dong", "Asia"],
  ["Laos", "Vientiane", "Lao", "kip", "Asia"],
  ["India", "New Delhi", null, "rupee", "Asia"],
  ["Nepal", "Kathmandu", "Nepali", "rupee", "Asia"],
  ["Bangladesh", "Dhaka", "Bengali", "taka", "Asia"],
  ["Iran", "Tehran", "Persian", "rial", "Asia"],
  ["Iraq", "Baghdad", "Arabic", "dinar", "Asia"],
  ["Syria", "Damascus", "Arabic", "pound", "Asia"],
  ["Jordan", "Amman", "Arabic", "dinar", "Asia"],
  ["Lebanon", "Beirut", "Arabic", "pound", "Asia"],
  ["Oman", "Muscat", "Arabic", "rial", "Asia"],
  ["Yemen", "Sanaa", "Arabic", "rial", "Asia"],
  ["Armenia", "Yerevan", "Armenian", "dram", "Asia"],
  ["Uzbekistan", "Tashkent", "Uzbek", "som", "Asia"],
  ["Egypt", "Cairo", "Arabic", "pound", "Africa"],
  ["Libya", "Tripoli", "Arabic", "dinar", "Africa"],
  ["Tunisia", "Tunis", "Arabic", "dinar", "Africa"],
  ["Algeria", "Algiers", "Arabic", "dinar", "Africa"],
  ["Morocco", "Rabat", "Arabic", "dirham", "Africa"],
  ["Sudan", "Khartoum", "Arabic", "pound", "Africa"],
  ["Somalia", "Mogadishu", "Somali", "shilling", "Africa"],
  ["Kenya", "Nairobi", "Swahili", "shilling", "Africa"],
  ["Tanzania", "Dodoma", "Swahili", "shilling", "Africa"],
  ["Angola", "Luanda", "Portuguese", "kwanza", "Africa"],
  ["Ghana", "Accra", null, "cedi", "Africa"],
  ["Nigeria", "Abuja", null, "naira", "Africa"],
  ["Brazil", "Brasilia", "Portuguese", "real", "South America"],
  ["Argentina", "Buenos Aires", "Spanish", "peso", "South America"],
  ["Chile", "Santiago", "Spanish", "peso", "South America"],
  ["Peru", "Lima", "Spanish", "sol", "South America"],
  ["Colombia", "Bogota", "Spanish", "peso", "South America"],
  ["Ecuador", "Quito", "Spanish", "dollar", "South America"],
  ["Uruguay", "Montevideo", "Spanish", "peso", "South America"],
  ["Venezuela", "Caracas", "Spanish", "bolivar", "South America"],
  ["Cuba", "Havana", "Spanish", "peso", "North America"],
  ["Mexico", "Mexico City", "Spanish", "peso", "North America"],
  ["Canada", "Ottawa", null, "dollar", "North America"],
  ["Australia", "Canberra", "English", "dollar", "Oceania"],
];

function toCountry([name, capital, language, currency, continent]: Row): Country {
  const common = { name, capital, currency, continent };
  return language === null ? common : { ...common, language };
}

/** The countries of the corpus, at least 60 of them with a language. */
export const countries: readonly Country[] = ROWS.map(toCountry);

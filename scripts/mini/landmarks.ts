/** A famous sight, with its article where it has one. */
export interface Landmark {
  readonly name: string;
  readonly city: string;
  readonly country: string;
}

type Row = readonly [name: string, city: string, country: string];

const ROWS: readonly Row[] = [
  ["the Eiffel Tower", "Paris", "France"],
  ["the Louvre", "Paris", "France"],
  ["the Colosseum", "Rome", "Italy"],
  ["the Trevi Fountain", "Rome", "Italy"],
  ["the Pantheon", "Rome", "Italy"],
  ["the Leaning Tower", "Pisa", "Italy"],
  ["the Rialto Bridge", "Venice", "Italy"],
  ["La Scala", "Milan", "Italy"],
  ["the Uffizi Gallery", "Florence", "Italy"],
  ["Big Ben", "London", "England"],
  ["Tower Bridge", "London", "England"],
  ["Buckingham Palace", "London", "England"],
  ["the Brandenburg Gate", "Berlin", "Germany"],
  ["the Reichstag", "Berlin", "Germany"],
  ["the Prado Museum", "Madrid", "Spain"],
  ["the Sagrada Familia", "Barcelona", "Spain"],
  ["the Alhambra", "Granada", "Spain"],
  ["the Belem Tower", "Lisbon", "Portugal"],
  ["the Parthenon", "Athens", "Greece"],
  ["the Acropolis", "Athens", "Greece"],
  ["the Hofburg Palace", "Vienna", "Austria"],
  ["the Charles Bridge", "Prague", "Czechia"],
  ["the Chain Bridge", "Budapest", "Hungary"],
  ["the Wilanow Palace", "Warsaw", "Poland"],
  ["the Little Mermaid", "Copenhagen", "Denmark"],
  ["the Vasa Museum", "Stockholm", "Sweden"],
  ["the Munch Museum", "Oslo", "Norway"],
  ["the Sibelius Monument", "Helsinki", "Finland"],
  ["Red Square", "Moscow", "Russia"],
  ["the Kremlin", "Moscow", "Russia"],
  ["the Blue Mosque", "Istanbul", "Turkey"],
  ["Hagia Sophia", "Istanbul", "Turkey"],
  ["the Forbidden City", "Beijing", "China"],
  ["the Temple of Heaven", "Beijing", "China"],
  ["the Meiji Shrine", "Tokyo", "Japan"],
  ["the Golden Pavilion", "Kyoto", "Japan"],
  ["the Temple of Dawn", "Bangkok", "Thailand"],
  ["the Temple of Literature", "Hanoi", "Vietnam"],
  ["the Taj Mahal", "Agra", "India"],
  ["the Red Fort", "Delhi", "India"],
  ["the Monkey Temple", "Kathmandu", "Nepal"],
  ["the Azadi Tower", "Tehran", "Iran"],
  ["the Umayyad Mosque", "Damascus", "Syria"],
  ["the Great Sphinx", "Giza", "Egypt"],
  ["the Great Pyramid", "Giza", "Egypt"],
  ["the Bardo Museum", "Tunis", "Tunisia"],
  ["Sugarloaf Mountain", "Rio", "Brazil"],
  ["Bondi Beach", "Sydney", "Australia"],
  ["the Rideau Canal", "Ottawa", "Canada"],
];

/** The landmarks of the corpus. */
export const landmarks: readonly Landmark[] = ROWS.map(([name, city, country]) => ({
  name,
  city,
  country,
}));

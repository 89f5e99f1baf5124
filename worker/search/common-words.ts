// Ordinary words that are also somebody's name, a town or a maker of cameras. Such a name counts only with a capital or behind
// "in", "with" and the like: "nice sunset" is no town in France, "rose" no person.

const COMMON_WORDS = new Set((
  // Names of people.
  'rose may june april august will mark grace sky dawn joy hope lily daisy iris ivy violet ruby pearl amber autumn summer sunny star bear art bill rob frank gene guy dash crystal heather hazel olive basil ginger robin jay '
  + 'dusty chase hunter mason cooper baker angel faith river brook forest cliff stone penny sandy jasmine poppy willow rocky lucky buddy coco honey sugar pepper peanut cookie princess prince king queen duke earl rich young happy sunshine moon storm '
  // Places.
  + 'nice reading bath mobile orange split of bar most gap tours lens same male man sandwich cork deal wells rugby march battle hull sale bury ware street rye sun show home ball park parks central capital northern southern eastern western north south east west upper lower '
  + 'beach lake mountain mountains bridge castle church snow ice sea island islands bay hill hills valley garden gardens city town village field fields wood woods green blue red white black golden silver sand water falls spring springs winter night day light sunset sunrise '
  + 'market station port harbour harbor airport road corner center centre chad best wedding sex hell bush love hot cold ski surf side bergen essen bad see ars spa plan moss hey born chester bliss paradise hook crater eye eagle buffalo mammoth '
  // Makers and models.
  + 'apple galaxy hero nothing essential honor motion model ace find edge note play life one nova lens power studio photo photos scanner scan camera digital pro max mini plus ultra series phone mate sure air lite prime zoom compact film super live view action xl se special edition version unknown front back '
  // What else a picture shows.
  + 'baby dog cat birthday party holiday holidays family friends food christmas trip travel sister brother'
).split(' '));
export function isCommon(folded: string): boolean { return COMMON_WORDS.has(folded); }

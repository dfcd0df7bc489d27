// A short word at the foot of the page, also for people who listen to it.

let timer = 0;

export function say(words) {
  const place = document.getElementById("said");
  place.textContent = words;
  place.classList.add("shown");
  clearTimeout(timer);
  timer = setTimeout(() => place.classList.remove("shown"), 2500);
}

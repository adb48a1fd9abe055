// The choice of colours. theme.js applies it when the page is loaded.

const PLACE = 'vernal.theme';

function kept() {
  try {
    return localStorage.getItem(PLACE) ?? 'auto';
  } catch {
    return 'auto';
  }
}

function apply(theme) {
  if (theme === 'auto') delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(PLACE, theme);
  } catch {
    // Without storage the choice lasts as long as the page.
  }
}

/** `group` holds a radio button for each of auto, light and dark. */
export function setUpTheme(group) {
  for (const button of group.querySelectorAll('input')) {
    button.checked = button.value === kept();
    button.addEventListener('change', () => apply(button.value));
  }
}

// Sets the chosen colours before the page is first drawn, so it is no module: modules run later.
try {
  const theme = localStorage.getItem('vernal.theme');
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme;
} catch {
  // Without storage the page follows the system.
}

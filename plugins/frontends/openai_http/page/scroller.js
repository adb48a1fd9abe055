// Keeps the newest text in sight, unless the reader has scrolled away from it.

const NEAR_PX = 80;  // so close to the end counts as being there

export class Scroller {
  /** `button` is shown while the end of `element` is out of sight, and leads there. */
  constructor(element, button) {
    this.element = element;
    this.button = button;
    this.follows = true;
    element.addEventListener('scroll', () => {
      this.follows = this.distance < NEAR_PX;
      button.hidden = this.follows;
    });
    button.addEventListener('click', () => this.toEnd());
  }

  get distance() {
    return this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight;
  }

  /** To be called when text was added. */
  follow() {
    if (this.follows) this.toEnd();
    else this.button.hidden = false;
  }

  toEnd() {
    this.follows = true;
    this.button.hidden = true;
    this.element.scrollTop = this.element.scrollHeight;
  }
}

//! A writer of HTML that cannot leave a tag open and cannot pass text through unescaped.

/// Attribute names are ours, values may come from anywhere.
pub(crate) type Attrs<'a> = &'a [(&'static str, &'a str)];

/// The page so far.
#[derive(Default)]
pub(crate) struct Html {
    out: String,
    ids: u32,
}

impl Html {
    /// Writes an element around whatever `inner` writes.
    pub(crate) fn el(
        &mut self,
        tag: &'static str,
        attrs: Attrs<'_>,
        inner: impl FnOnce(&mut Html),
    ) {
        self.start(tag, attrs);
        self.out.push('>');
        inner(self);
        self.out.push_str("</");
        self.out.push_str(tag);
        self.out.push('>');
    }

    /// Writes an element that holds only text.
    pub(crate) fn leaf(&mut self, tag: &'static str, attrs: Attrs<'_>, text: &str) {
        self.el(tag, attrs, |h| h.text(text));
    }

    /// Writes an element without content: a void HTML element or an SVG shape.
    pub(crate) fn empty(&mut self, tag: &'static str, attrs: Attrs<'_>) {
        self.start(tag, attrs);
        self.out.push_str("/>");
    }

    /// Writes text.
    pub(crate) fn text(&mut self, text: &str) {
        escape(text, &mut self.out);
    }

    /// Writes a name that someone else chose, isolated from the direction of the text around it.
    pub(crate) fn name(&mut self, text: &str) {
        self.leaf("bdi", &[], text);
    }

    /// Writes source that was fixed when the program was compiled.
    pub(crate) fn fixed(&mut self, source: &'static str) {
        self.out.push_str(source);
    }

    /// Starts a new line of the file, so that pages can be compared line by line.
    pub(crate) fn line(&mut self) {
        self.out.push('\n');
    }

    /// A number not handed out before on this page.
    pub(crate) fn next_id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    /// The page.
    pub(crate) fn finish(self) -> String {
        self.out
    }

    fn start(&mut self, tag: &'static str, attrs: Attrs<'_>) {
        self.out.push('<');
        self.out.push_str(tag);
        for (name, value) in attrs {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape(value, &mut self.out);
            self.out.push('"');
        }
    }
}

/// Appends `text` with markup escaped. Control characters and direction overrides, which can make a
/// name read as something else, become U+FFFD.
fn escape(text: &str, out: &mut String) {
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            '\n' | '\t' => out.push(' '),
            c if c.is_control() => out.push('\u{fffd}'),
            '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => out.push('\u{fffd}'),
            c => out.push(c),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_attributes_are_escaped() {
        let mut h = Html::default();
        h.el("p", &[("title", "\"><script>")], |h| {
            h.text("a<b & 'c'\u{202e}\u{0}")
        });
        assert_eq!(
            h.finish(),
            "<p title=\"&quot;&gt;&lt;script&gt;\">a&lt;b &amp; &#39;c&#39;\u{fffd}\u{fffd}</p>"
        );
    }

    #[test]
    fn ids_are_not_repeated() {
        let mut h = Html::default();
        assert_ne!(h.next_id(), h.next_id());
    }
}

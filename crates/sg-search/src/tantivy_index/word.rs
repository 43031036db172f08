//! The words of exchanges as the engine takes them in.

use tantivy::tokenizer::{Token, TokenStream, Tokenizer};

use crate::exchange::next_word;

/// Gives each word its place.
#[derive(Clone, Default)]
pub(super) struct WordTokenizer {
    token: Token,
}

/// The words of one text.
pub(super) struct Words<'a> {
    token: &'a mut Token,
    text: &'a str,
}

impl Tokenizer for WordTokenizer {
    type TokenStream<'a> = Words<'a>;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Words<'a> {
        self.token.reset();
        Words { token: &mut self.token, text }
    }
}

impl TokenStream for Words<'_> {
    fn advance(&mut self) -> bool {
        let Some(range) = next_word(self.text, self.token.offset_to, &mut self.token.text) else { return false };
        self.token.position = self.token.position.wrapping_add(1);
        (self.token.offset_from, self.token.offset_to) = (range.start, range.end);
        true
    }

    fn token(&self) -> &Token {
        self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        self.token
    }
}

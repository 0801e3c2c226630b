//! What [`super::FocusAlarm`] does with observations before they enter the hull.

use super::hull::convex;

/// Observations that wait before they enter the hull. Few would make every one of them dear, many
/// would make the list of candidates long.
pub(super) const ROOM: usize = 128;

/// Observations that are not yet in the hull.
#[derive(Debug, Clone)]
pub(super) struct Block {
    /// Sums from the start of the stream.
    pub(super) sums: [f64; ROOM],
    /// Sums from the start of the block, centred at the level known or estimated there.
    pub(super) centred: [f64; ROOM],
    /// Positions that may be vertices of the lower and of the upper hull.
    pub(super) low: [u8; ROOM],
    pub(super) high: [u8; ROOM],
}

/// What one observation changes; small, so that a loop over a slice keeps it in registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) len: usize,
    pub(super) sum: f64,
    pub(super) centred: f64,
    /// The observation before.
    pub(super) last: f64,
    pub(super) lows: usize,
    pub(super) highs: usize,
    /// No alarm while the centred sum is strictly between these.
    pub(super) floor: f64,
    pub(super) ceiling: f64,
}

/// What stays the same within a block.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    /// Subtracted from an observation before it enters `sum` and `centred`.
    pub(super) mean: f64,
    pub(super) level: f64,
    /// Rise and fall that one observation needs; infinite where the direction is not looked at.
    pub(super) rise: f64,
    pub(super) fall: f64,
    /// Largest movement for which rounding and the bounds of an unknown level are accounted.
    pub(super) widest: f64,
    /// What rounding may have added to a centred sum.
    pub(super) rounding: f64,
}

impl Run {
    /// Takes an observation that can neither raise an alarm nor end the block; `false`: it may, and
    /// nothing was changed.
    #[inline(always)]
    pub(super) fn quiet(&mut self, x: f64, bounds: &Bounds, block: &mut Block) -> bool {
        let centred = self.centred + (x - bounds.level);
        // NaN and infinity fail here too.
        let between = (centred < self.ceiling) & (centred > self.floor);
        if !between | (self.len >= ROOM - 1) {
            return false;
        }
        self.take(x, centred, bounds, block);
        self.ceiling = smaller(centred + bounds.rise, self.ceiling);
        self.floor = -smaller(bounds.fall - centred, -self.floor);
        true
    }

    #[inline(always)]
    pub(super) fn take(&mut self, x: f64, centred: f64, bounds: &Bounds, block: &mut Block) {
        const { assert!(ROOM.is_power_of_two() && ROOM <= 256) };
        let at = self.len % ROOM;
        self.sum += x - bounds.mean;
        self.centred = centred;
        block.sums[at] = self.sum;
        block.centred[at] = centred;
        // The observation before is a vertex of the lower hull only where the slope increases.
        block.low[self.lows % ROOM] = (at as u8).wrapping_sub(1);
        block.high[self.highs % ROOM] = (at as u8).wrapping_sub(1);
        self.lows += usize::from(self.last < x);
        self.highs += usize::from(x < self.last);
        self.last = x;
        self.len += 1;
    }
}

/// The smaller of two; `b` when `a` is NaN. Compiles to one instruction, as `f64::min` does not.
#[inline(always)]
pub(super) fn smaller(a: f64, b: f64) -> f64 {
    if a < b { a } else { b }
}

/// Smallest value over two lists of one length, NaN passed over; infinite when they are empty. In
/// lanes, because a minimum of floating-point numbers is not reordered by the compiler.
#[inline(always)]
pub(super) fn least<A, B>(a: &[A], b: &[B], value: impl Fn(&A, &B) -> f64) -> f64 {
    let mut lanes = [f64::INFINITY; 4];
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<4>(), b.as_chunks::<4>());
    for (a, b) in a.iter().zip(b) {
        for ((lane, a), b) in lanes.iter_mut().zip(a).zip(b) {
            *lane = smaller(value(a, b), *lane);
        }
    }
    for ((lane, a), b) in lanes.iter_mut().zip(a_rest).zip(b_rest) {
        *lane = smaller(value(a, b), *lane);
    }
    lanes.into_iter().fold(f64::INFINITY, smaller)
}

/// Moves the places whose value is below all later ones to the end; returns that part.
#[inline]
pub(super) fn right_minima(places: &mut [u8], value: impl Fn(u8) -> f64) -> &mut [u8] {
    let (mut from, mut low) = (places.len(), f64::INFINITY);
    for at in (0..places.len()).rev() {
        let place = places[at];
        let v = value(place);
        // Without a branch: which places stay is as good as random.
        places[from - 1] = place;
        from -= usize::from(v < low);
        low = smaller(v, low);
    }
    &mut places[from..]
}

/// Drops points that lie above the chord of their neighbours, a few times over, which leaves hardly
/// more than the hull; the first and the last stay. Returns how many are left, at the front. Without
/// branches, as above: this is what the hull itself cannot do.
#[inline]
pub(super) fn thin(points: &mut [(f64, f64)]) -> usize {
    let mut len = points.len();
    for _ in 0..4 {
        if len < 5 {
            break;
        }
        let (mut kept, mut before, mut point) = (1, points[0], points[1]);
        for next in 2..len {
            let after = points[next];
            points[kept] = point;
            kept += usize::from(convex(before, point, after));
            (before, point) = (point, after);
        }
        points[kept] = point;
        if kept + 1 == len {
            break;
        }
        len = kept + 1;
    }
    len
}

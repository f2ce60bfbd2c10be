using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;

namespace Tlfs.Core.Sealing;

/// <summary>Two signed headers of one author with one number (docs/protocol/statements.md §4.11).</summary>
public static class ForkProof
{
    /// <summary>The check that a statement of a fork needs: one document, author and number, two ids, two right signatures.</summary>
    public static bool Verify(SignedHeader first, SignedHeader second, out Fork fork) => Check(first, second, verified: false, out fork);

    /// <summary>The same for headers that were verified before, and kept where nobody else writes: their signatures are not checked again.</summary>
    public static bool ReadVerified(SignedHeader first, SignedHeader second, out Fork fork) => Check(first, second, verified: true, out fork);

    /// <summary>The statement that two envelopes prove.</summary>
    /// <exception cref="ArgumentException">They prove no fork.</exception>
    public static Equivocation Of(Envelope first, Envelope second)
    {
        SignedHeader one = new(first.HeaderBytes, first.Signature), other = new(second.HeaderBytes, second.Signature);
        return Verify(one, other, out var fork) ? new(one, other, fork) : throw new ArgumentException("no fork", nameof(second));
    }

    private static bool Check(SignedHeader first, SignedHeader second, bool verified, out Fork fork)
    {
        fork = default;
        if (!EnvelopeHeader.TryDecode(first.Header, out var one, out _) || !EnvelopeHeader.TryDecode(second.Header, out var other, out _)) return false;
        if (one!.Document != other!.Document || one.Author != other.Author || one.Seq != other.Seq) return false;
        if (first.Header.Span.SequenceEqual(second.Header.Span)) return false;
        if (!verified && (!IsSigned(one.Author, first) || !IsSigned(other.Author, second))) return false;
        fork = new(one.Document, one.Author, one.Seq);
        return true;
    }

    private static bool IsSigned(PeerId author, SignedHeader signed) =>
        SigningKey.Verify(author, Label.EnvSig, Hashing.Hash(Label.Env, signed.Header.Span), signed.Signature.Span);
}

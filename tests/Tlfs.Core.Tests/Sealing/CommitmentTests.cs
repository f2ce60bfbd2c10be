using System.Buffers.Binary;
using System.Numerics;
using CloudPeer.TestKit;
using Geralt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;
using Xunit;

namespace Tlfs.Core.Tests.Sealing;

/// <summary>
/// XChaCha20-Poly1305 does not commit to its key: here is a part that opens under two content keys. What keeps its author from showing two people different things
/// is the commitment in the epoch's rotate.
/// </summary>
public sealed class CommitmentTests
{
    private const int Block = 16;
    private static readonly BigInteger Prime = (BigInteger.One << 130) - 5;
    private static readonly BigInteger Tags = BigInteger.One << 128;

    [Fact]
    public void U2_One_ciphertext_opens_under_two_keys_and_the_commitment_lets_one_of_them_in()
    {
        var entropy = new SeededEntropy(90);
        using var author = SigningKey.Generate(entropy);
        using var first = SecretKey.Random(entropy);
        using var second = SecretKey.Random(entropy);
        using var history = SecretKey.Random(entropy);
        var document = new DocId(author.Public.Value);
        var rotate = new Rotate(ZoneId.Root, 0, [], Hashing.Commit(first), Hashing.Commit(history), [], []);
        var epoch = new EnvelopeId(new(entropy.Bytes(Bytes32.Size)));
        var envelope = OpensUnderBoth(entropy, author, document, epoch, first, second);

        // The first key opens it as its author says; the encryption lets the second pass too, and what comes out is something else.
        Assert.True(envelope.VerifySignature());
        Assert.True(PartContent.TryOpen(envelope, 0, first, out var content, out _));
        Assert.Single(content.Operations);
        Assert.False(PartContent.TryOpen(envelope, 0, second, out _, out var reason));
        Assert.NotEqual(Reason.Unsealable, reason);

        // So each reader gets the first key or none.
        var context = new EpochContext(document, ZoneId.Root, rotate.Commit);
        foreach (var (key, opens) in ((SecretKey, bool)[])[(first, true), (second, false)])
        {
            foreach (var withHistory in (SecretKey?[])[history, null])
            {
                using var ring = new Keyring(document, People.Bob);
                ring.Add(epoch, rotate with { Wraps = [context.WrapFor(entropy, People.Bob.Card, key, withHistory)] });
                Assert.Equal(opens, ring.ContentKey(ZoneId.Root, epoch, out reason) is not null);
                if (!opens) Assert.Equal(Reason.KeyDispute, reason);
            }
        }
    }

    // A delta of one operation, a byte string, two blocks of which are chosen so that the tag is right for both keys.
    private static Envelope OpensUnderBoth(SeededEntropy entropy, SigningKey author, DocId document, EnvelopeId epoch, SecretKey first, SecretKey second)
    {
        var open = new EnvelopeHeader(
            EnvelopeType.Delta, document, author.Public, 1, default, [], [], null, [new(ZoneId.Root, epoch, 0, default, default)], 0, default);
        byte[] position = [.. open.CoreHash().ToArray(), 0, 0];
        using var firstPart = Hashing.Derive(Label.Part, first.Bytes, position);
        using var secondPart = Hashing.Derive(Label.Part, second.Bytes, position);
        var ad = Label.PartAd.Prefix(position);
        var operation = (byte[])[0x58, 100, .. new byte[100]];
        byte[] plain = [0x84, 0x58, 32, .. new byte[32], 0x81, .. operation, 0x80, 0x80];
        var padded = Padding.Pad(plain, Padding.PaddedLength);
        var start = 4 + 36 + 2;
        var free = (start + Block - 1) / Block;
        for (var attempt = 0; ; attempt++)
        {
            var nonce = entropy.Bytes(XChaCha20Poly1305.NonceSize);
            var stream = Stream(firstPart, nonce, 64 + padded.Length)[64..];
            var ciphertext = padded.Select((b, i) => (byte)(b ^ stream[i])).ToArray();
            if (!TryCollide(Stream(firstPart, nonce, 32), Stream(secondPart, nonce, 32), ad, ciphertext, free, out var tag)) continue;
            for (var i = 0; i < 2 * Block; i++) operation[((free * Block) + i - 40)] = (byte)(ciphertext[(free * Block) + i] ^ stream[(free * Block) + i]);
            byte[] sealedPart = [.. nonce, .. ciphertext, .. tag];
            var header = new PartHeader(ZoneId.Root, epoch, sealedPart.Length, Hashing.Hash(Label.Chash, sealedPart), OperationTree.Root(firstPart, [operation]));
            Assert.InRange(attempt, 0, 1_000);
            return Envelope.Sign(author, open with { Parts = [header] }, default, [sealedPart]);
        }
    }

    // Two unknown blocks, two linear equations modulo 2^130 - 5: both polynomials give the tag, less the key's pad. The solution must be blocks, 2^128 to 2^129, each with a chance of a quarter.
    private static bool TryCollide(byte[] first, byte[] second, byte[] ad, byte[] ciphertext, int free, out byte[] tag)
    {
        tag = new byte[Block];
        ciphertext.AsSpan(free * Block, 2 * Block).Clear();
        byte[] message = [.. Padded(ad), .. Padded(ciphertext), .. Lengths(ad.Length, ciphertext.Length)];
        var at = (Padded(ad).Length / Block) + free;
        var ((r1, s1), (r2, s2)) = (Key(first), Key(second));
        var count = message.Length / Block;
        var target = s2;
        var ((a1, b1, c1), (a2, b2, c2)) = (Terms(r1), Terms(r2));
        var (y1, y2) = (Modulo(target - s1, Tags) - c1, Modulo(target - s2, Tags) - c2);
        var inverse = BigInteger.ModPow(Modulo((a1 * b2) - (a2 * b1), Prime), Prime - 2, Prime);
        var x1 = Modulo(((y1 * b2) - (y2 * b1)) * inverse, Prime) - Tags;
        var x2 = Modulo(((a1 * y2) - (a2 * y1)) * inverse, Prime) - Tags;
        if (x1.Sign < 0 || x2.Sign < 0 || x1 >= Tags || x2 >= Tags) return false;
        Write(x1, ciphertext.AsSpan(free * Block));
        Write(x2, ciphertext.AsSpan((free + 1) * Block));
        Write(target, tag);
        return true;

        // The factors of the two blocks, and the sum of all others.
        (BigInteger A, BigInteger B, BigInteger Others) Terms(BigInteger r)
        {
            var rest = BigInteger.Zero;
            for (var i = 0; i < count; i++)
                if (i != at && i != at + 1) rest += (Number(message.AsSpan(i * Block, Block)) + Tags) * BigInteger.ModPow(r, count - i, Prime);
            return (BigInteger.ModPow(r, count - at, Prime), BigInteger.ModPow(r, count - at - 1, Prime), rest);
        }
    }

    private static (BigInteger R, BigInteger Pad) Key(byte[] oneTimeKey)
    {
        var r = oneTimeKey[..Block];
        foreach (var i in (int[])[3, 7, 11, 15]) r[i] &= 15;
        foreach (var i in (int[])[4, 8, 12]) r[i] &= 252;
        return (Number(r), Number(oneTimeKey.AsSpan(Block)));
    }

    private static byte[] Stream(SecretKey key, byte[] nonce, int length)
    {
        var stream = new byte[length];
        XChaCha20.Fill(stream, nonce, key.Bytes);
        return stream;
    }

    private static byte[] Padded(byte[] bytes) => [.. bytes, .. new byte[(Block - (bytes.Length % Block)) % Block]];

    private static byte[] Lengths(int ad, int ciphertext)
    {
        var lengths = new byte[Block];
        BinaryPrimitives.WriteInt64LittleEndian(lengths, ad);
        BinaryPrimitives.WriteInt64LittleEndian(lengths.AsSpan(8), ciphertext);
        return lengths;
    }

    private static BigInteger Number(ReadOnlySpan<byte> bytes) => new(bytes, isUnsigned: true);

    private static BigInteger Modulo(BigInteger value, BigInteger modulus) => ((value % modulus) + modulus) % modulus;

    private static void Write(BigInteger value, Span<byte> block)
    {
        block[..Block].Clear();
        Assert.True(value.TryWriteBytes(block[..Block], out _, isUnsigned: true));
    }
}

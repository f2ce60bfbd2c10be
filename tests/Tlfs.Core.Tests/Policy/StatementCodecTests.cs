using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Xunit;

namespace Tlfs.Core.Tests.Policy;

public sealed class StatementCodecTests
{
    private static readonly Bytes32 Some = new(Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());
    private static readonly ZoneId Zone = new EnvelopeId(Some).Zone;
    private static readonly Dice Fixed = new(1);

    [Fact]
    public void Every_statement_comes_back_equal() => Dice.ForEach(20_000, dice =>
    {
        var statement = dice.Statement();
        var bytes = statement.Encode();
        Assert.True(Statement.TryDecode(bytes, StatementDice.VerifyCard, StatementDice.VerifyFork, out var decoded, out _));
        Assert.Equal(statement, decoded);
        Assert.Equal(statement.GetHashCode(), decoded.GetHashCode());
        Assert.Equal(bytes, decoded.Encode());
    });

    [Fact]
    public void Random_bytes_never_throw() => Dice.ForEach(50_000, dice => Decode(dice.Bytes(dice.Next(200))));

    [Fact]
    public void F1_Changed_bytes_never_throw_and_what_is_accepted_is_canonical() => Dice.ForEach(100_000, dice =>
    {
        var bytes = dice.Statement().Encode().ToList();
        for (var changes = dice.Between(1, 3); changes > 0 && bytes.Count > 0; changes--)
        {
            // Most bytes are ids, which may be anything; the structure is where the small bytes are.
            var at = dice.Percent(50) ? dice.Next(Math.Min(bytes.Count, 8)) : dice.Next(bytes.Count);
            switch (dice.Next(4))
            {
                case 0: bytes[at] ^= (byte)(1 << dice.Next(8)); break;
                case 1: bytes.RemoveAt(at); break;
                case 2: bytes.Insert(at, (byte)dice.Next(256)); break;
                default: bytes.RemoveRange(at, bytes.Count - at); break;
            }
        }

        if (Decode([.. bytes]) is { } statement) Assert.Equal(bytes, statement.Encode());
    });

    [Fact]
    public void Bytes_of_a_renounce_are_those_of_the_specification() =>
        Assert.Equal("8203" + "5820" + Some.ToString(), Convert.ToHexStringLower(new Renounce(new(Some)).Encode()));

    [Fact]
    public void Bytes_of_a_grant_are_those_of_the_specification() => Assert.Equal(
        "8701" + "8200" + "5820" + Some + "02" + "50" + new string('0', 32) + "f6" + "5820" + Some + "f6",
        Convert.ToHexStringLower(new Grant(new PeerActor(new(Some)), Permission.Write, ZoneId.Root, new(Some)).Encode()));

    [Fact]
    public void Bytes_of_a_genesis_are_those_of_the_specification() => Assert.Equal(
        "8500" + "5820" + Some + "0101" + "8200" + "5820" + Some,
        Convert.ToHexStringLower(new Genesis(new(Some), DocumentKind.App, new PeerActor(new(Some))).Encode()));

    [Theory]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(11)]
    [InlineData(1_000_000)]
    public void Reserved_kind_is_unsupported(int kind) => AssertRefused(Reason.Unsupported, writer =>
    {
        writer.BeginArray(2);
        writer.UInt((ulong)kind);
        writer.Null();
        writer.EndArray();
    });

    [Theory]
    [InlineData("if")]
    [InlineData("actor")]
    [InlineData("permission")]
    public void Grant_with_something_of_a_later_version_is_unsupported(string what) => AssertRefused(Reason.Unsupported, writer =>
    {
        bool Is(string item) => string.Equals(what, item, StringComparison.Ordinal);
        writer.BeginArray(7);
        writer.UInt(1);
        writer.BeginArray(2);
        writer.UInt(Is("actor") ? 3UL : 0UL);
        writer.Bytes32(Some);
        writer.EndArray();
        writer.UInt(Is("permission") ? 5UL : 4UL);
        writer.Zone(ZoneId.Root);
        writer.Null();
        writer.Null();
        if (Is("if")) writer.Bool(true);
        else writer.Null();
        writer.EndArray();
    });

    [Fact]
    public void Bytes_of_a_zone_are_those_of_the_specification() => Assert.Equal(
        "8404" + "50" + Hex(Zone.ToArray()) + "5820" + Some + "5820" + Some,
        Hex(new ZoneCreate(Zone, new(Some), Some).Encode()));

    [Fact]
    public void Bytes_of_a_narrow_grant_from_now_on_are_those_of_the_specification()
    {
        var card = Some.ToArray();
        var grant = new Grant(new AccountActor(new(Some), new(Some), card), Permission.Write, Zone, null) { Sub = new(Some, new(Some), new byte[] { 7 }), FromNow = true };
        Assert.Equal(
            "8801" + "8301" + "5820" + Some + "5820" + Some + "02" + "50" + Hex(Zone.ToArray()) + "83" + "5820" + Some + "5820" + Some + "4107" + "f6" + "f6" + "f5",
            Hex(grant.Encode()));
    }

    [Fact]
    public void Statements_that_contradict_themselves_are_malformed()
    {
        var (peer, account) = (new PeerActor(new(Some)), new AccountActor(new(Some), new(Some), Some.ToArray()));
        var sub = new SubPath(Some, new(Some), ReadOnlyMemory<byte>.Empty);
        Statement[] refused =
        [
            new Grant(peer, Permission.Control, Zone, null) { Sub = sub },
            new Grant(peer, Permission.Read, Zone, null) { Sub = sub },
            new Grant(peer, Permission.Read, Zone, null) { FromNow = true },
            new Grant(account, Permission.Sync, Zone, null) { FromNow = true },
            new Wrap(ZoneId.Root, new(Some), [], []) { ParentWraps = Fixed.ParentWraps(1) },
            new Rotate(ZoneId.Root, 0, [], Some, Some, [], []) { ParentWraps = Fixed.ParentWraps(1) },
            new Rotate(ZoneId.Root, 0, [], Some, Some, [], []) { SealedPath = new byte[1] },
            new Rotate(Zone, 0, [], Some, Some, [], []),
            new Wrap(Zone, new(Some), [Fixed.KeyWrap() with { Ciphertext = new byte[79] }], []),
        ];
        Assert.All(refused, statement => AssertRefused(Reason.Malformed, statement.Encode()));
        Assert.NotNull(Decode(new Grant(account, Permission.Write, Zone, null) { Sub = sub, FromNow = true }.Encode()));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Eighth_item_of_a_grant_is_true_and_nothing_else(bool value)
    {
        var bytes = new Grant(new AccountActor(new(Some), new(Some), Some.ToArray()), Permission.Read, Zone, null) { FromNow = true }.Encode();
        bytes[^1] = (byte)(value ? 0xF5 : 0xF4);
        Assert.Equal(value, Decode(bytes) is not null);
    }

    [Fact]
    public void Level_that_does_not_fit_the_kind_is_malformed() => AssertRefused(Reason.Malformed, writer =>
    {
        writer.BeginArray(5);
        writer.UInt(0);
        writer.Bytes32(Some);
        writer.UInt(0);
        writer.UInt(1);
        writer.BeginArray(1);
        writer.UInt(2);
        writer.EndArray();
        writer.EndArray();
    });

    [Fact]
    public void Card_that_does_not_verify_is_malformed()
    {
        var bytes = new Grant(new AccountActor(new(Some), new(Some), Some.ToArray()), Permission.Read, ZoneId.Root, null).Encode();
        Assert.False(Statement.TryDecode(bytes, (AccountId _, ReadOnlyMemory<byte> _, out PeerId device) => (device = default) != device, out _, out var error));
        Assert.Equal(Reason.Malformed, error.Reason);
        Assert.False(Statement.TryDecode(WithCard(Limits.CardBytes + 1).Encode(), StatementDice.VerifyCard, StatementDice.VerifyFork, out _, out error));
        Assert.Equal(Reason.TooLarge, error.Reason);
        Assert.NotNull(Decode(WithCard(Limits.CardBytes).Encode()));
    }

    [Fact]
    public void Bytes_of_an_equivocation_are_those_of_the_specification()
    {
        var (signature, header) = (new byte[64], Some.ToArray());
        var other = new SignedHeader((byte[])[.. header, 1], signature);
        Assert.Equal(
            "850a" + "5820" + Some + "5840" + Hex(signature) + "5821" + Some + "01" + "5840" + Hex(signature),
            Hex(new Equivocation(new(header, signature), other, default).Encode()));
    }

    [Fact]
    public void Equivocation_that_proves_nothing_is_malformed()
    {
        var bytes = Fixed.Equivocation(40).Encode();
        Assert.NotNull(Decode(bytes));
        Assert.False(Statement.TryDecode(bytes, StatementDice.VerifyCard, out _, out var error));
        Assert.Equal(Reason.Malformed, error.Reason);
        var same = new SignedHeader(Some.ToArray(), new byte[64]);
        AssertRefused(Reason.Malformed, new Equivocation(same, same, default).Encode());
        AssertRefused(Reason.Malformed, new Equivocation(same, same with { Signature = new byte[63] }, default).Encode());
    }

    [Fact]
    public void Lists_are_accepted_at_their_limit_and_refused_one_past_it()
    {
        AssertLimit(Limits.Cuts, count => new Revoke(new(Some), null, Fixed.Cuts(count)));
        AssertLimit(Limits.HeaderBytes, Fixed.Equivocation);
        AssertLimit(Limits.Wraps, count => new Wrap(ZoneId.Root, new(Some), Fixed.Wraps(count), []));
        AssertLimit(Limits.PreviousEpochs, count => new Wrap(ZoneId.Root, new(Some), [], Fixed.HistWraps(count)));
        AssertLimit(Limits.ParentWraps, count => new Wrap(Zone, new(Some), [], []) { ParentWraps = Fixed.ParentWraps(count) });
        AssertLimit(Limits.SealedPathBytes, count => new Rotate(Zone, 0, [], Some, Some, [], []) { SealedPath = new byte[count] });
        AssertLimit(Limits.SealedPathBytes, count => new Grant(new PeerActor(new(Some)), Permission.Write, Zone, null) { Sub = new(Some, new(Some), new byte[count]) });
        AssertLimit(Limits.PreviousEpochs, count => new Rotate(
            ZoneId.Root, 1, [.. Enumerable.Range(0, count).Select(_ => new EnvelopeId(Fixed.Bytes32())).Order()], Some, Some, [], []));
    }

    [Fact]
    public void Lists_that_do_not_ascend_are_malformed()
    {
        var (cuts, wraps, hist) = (Fixed.Cuts(2), Fixed.Wraps(2), Fixed.HistWraps(2));
        Statement[] refused =
        [
            new Revoke(new(Some), null, [cuts[1], cuts[0]]),
            new Revoke(new(Some), null, [cuts[0], cuts[0] with { Seq = 7 }]),
            new Wrap(ZoneId.Root, new(Some), [wraps[1], wraps[0]], []),
            new Wrap(ZoneId.Root, new(Some), [wraps[0], wraps[0] with { Enc = Some }], []),
            new Wrap(ZoneId.Root, new(Some), [], [hist[1], hist[0]]),
            new Rotate(ZoneId.Root, 1, [new(Some), new(Some)], Some, Some, [], []),
        ];
        Assert.All(refused, statement => AssertRefused(Reason.Malformed, statement.Encode()));
    }

    [Fact]
    public void Numbers_out_of_range_are_malformed()
    {
        Statement[] refused =
        [
            new Revoke(new(Some), null, [new(new(Some), 0, new(Some))]),
            new Rotate(ZoneId.Root, 1, [], Some, Some, [], []),
            new Rotate(ZoneId.Root, 0, [new(Some)], Some, Some, [], []),
            new Rotate(ZoneId.Root, Limits.Statements, [new(Some)], Some, Some, [], []),
            new AccountKey(1, Some, 2),
        ];
        Assert.All(refused, statement => AssertRefused(Reason.Malformed, statement.Encode()));
    }

    [Fact]
    public void Body_past_its_limit_is_too_large() => AssertRefused(Reason.TooLarge, new byte[Limits.BodyBytes + 1]);

    [Fact]
    public void Deeply_nested_arrays_are_refused_without_recursion() => AssertRefused(Reason.Malformed, [.. Enumerable.Repeat((byte)0x81, Limits.BodyBytes)]);

    [Fact]
    public void Permissions_have_names()
    {
        foreach (var permission in Enum.GetValues<Permission>())
        {
            Assert.True(PermissionText.TryParse(permission.ToText(), out var parsed));
            Assert.Equal(permission, parsed);
        }

        Assert.False(PermissionText.TryParse("Own", out _));
        Assert.False(PermissionText.TryParse(null, out _));
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static Grant WithCard(int bytes) =>
        new(new AccountActor(new(Some), new(Some), (byte[])[.. Some.ToArray(), .. new byte[bytes - 32]]), Permission.Read, ZoneId.Root, null);

    private static Statement? Decode(byte[] bytes) => Statement.TryDecode(bytes, StatementDice.VerifyCard, StatementDice.VerifyFork, out var statement, out _) ? statement : null;

    private static void AssertLimit(int limit, Func<int, Statement> make)
    {
        Assert.NotNull(Decode(make(limit).Encode()));
        AssertRefused(Reason.TooLarge, make(limit + 1).Encode());
    }

    private static void AssertRefused(Reason reason, Action<CanonicalWriter> write) => AssertRefused(reason, Canonical.Encode(write));

    private static void AssertRefused(Reason reason, byte[] bytes)
    {
        Assert.False(Statement.TryDecode(bytes, StatementDice.VerifyCard, StatementDice.VerifyFork, out _, out var error));
        Assert.Equal(reason, error.Reason);
    }
}

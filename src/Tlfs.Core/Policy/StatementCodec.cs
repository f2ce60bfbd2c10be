using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>The bytes of statement bodies (docs/protocol/statements.md §3): an array whose first item is the kind.</summary>
internal static class StatementCodec
{
    private const int GenesisKind = 0, GrantKind = 1, RevokeKind = 2, RenounceKind = 3, RotateKind = 5, WrapKind = 6, AccountKeyKind = 9;
    private const int LongestBody = 9;
    private const ulong Suite = 1;

    public static Statement Read(CanonicalReader reader, CardVerifier cards)
    {
        var count = reader.BeginArrayUpTo(LongestBody);
        CanonicalReader.Require(count > 0, "statement kind expected");
        var kind = reader.UInt();
        CanonicalReader.Require(
            kind is GenesisKind or GrantKind or RevokeKind or RenounceKind or RotateKind or WrapKind or AccountKeyKind,
            "statement kind is not known",
            Reason.Unsupported);
        CanonicalReader.Require(count == ItemCount((int)kind), "statement has another number of items");
        Statement statement = (int)kind switch
        {
            GenesisKind => ReadGenesis(reader, cards),
            GrantKind => ReadGrant(reader, cards),
            RevokeKind => ReadRevoke(reader),
            RenounceKind => new Renounce(reader.Id<GrantId>()),
            RotateKind => ReadRotate(reader),
            WrapKind => ReadWrap(reader),
            _ => ReadAccountKey(reader),
        };
        reader.EndArray();
        return statement;
    }

    public static void Write(CanonicalWriter writer, Statement statement)
    {
        switch (statement)
        {
            case Genesis genesis: WriteGenesis(writer, genesis); break;
            case Grant grant: WriteGrant(writer, grant); break;
            case Revoke revoke: WriteRevoke(writer, revoke); break;
            case Renounce renounce:
                Begin(writer, RenounceKind);
                writer.Id(renounce.Target);
                break;
            case Rotate rotate: WriteRotate(writer, rotate); break;
            case Wrap wrap: WriteWrap(writer, wrap); break;
            case AccountKey key: WriteAccountKey(writer, key); break;
            default: throw new InvalidOperationException("Statement is closed");
        }

        writer.EndArray();
    }

    private static int ItemCount(int kind) => kind switch
    {
        GenesisKind => 5,
        GrantKind => 7,
        RevokeKind => 4,
        RenounceKind => 2,
        RotateKind => 9,
        WrapKind => 6,
        _ => 5,
    };

    private static void Begin(CanonicalWriter writer, int kind)
    {
        writer.BeginArray(ItemCount(kind));
        writer.UInt((ulong)kind);
    }

    private static Genesis ReadGenesis(CanonicalReader reader, CardVerifier cards)
    {
        var document = reader.Id<DocId>();
        var kind = reader.UInt();
        CanonicalReader.Require(kind <= (ulong)DocumentKind.App, "document kind is not known", Reason.Unsupported);
        CanonicalReader.Require(reader.UInt() == kind, "level does not fit the document kind");
        return new(document, (DocumentKind)kind, Actor.Read(reader, cards));
    }

    private static void WriteGenesis(CanonicalWriter writer, Genesis genesis)
    {
        Begin(writer, GenesisKind);
        writer.Id(genesis.Document);
        writer.UInt((ulong)genesis.Kind);
        writer.UInt((ulong)genesis.Kind);
        genesis.Actor.Write(writer);
    }

    private static Grant ReadGrant(CanonicalReader reader, CardVerifier cards)
    {
        var actor = Actor.Read(reader, cards);
        var permission = reader.UInt();
        CanonicalReader.Require(permission <= (ulong)Permission.Own, "permission is not known", Reason.Unsupported);
        var zone = ReadRootZone(reader);
        RequireNull(reader, "sub");
        var parent = reader.OptionalId<GrantId>();
        RequireNull(reader, "if");
        return new(actor, (Permission)permission, zone, parent);
    }

    private static void WriteGrant(CanonicalWriter writer, Grant grant)
    {
        Begin(writer, GrantKind);
        grant.Actor.Write(writer);
        writer.UInt((ulong)grant.Permission);
        writer.Zone(grant.Zone);
        writer.Null();
        writer.OptionalId(grant.Parent);
        writer.Null();
    }

    private static Revoke ReadRevoke(CanonicalReader reader)
    {
        var target = reader.Id<GrantId>();
        var proof = reader.OptionalId<GrantId>();
        var cuts = reader.Array(Limits.Cuts, () => ReadCut(reader));
        CanonicalReader.RequireAscending([.. cuts.Select(cut => cut.Author)], "cuts");
        return new(target, proof, cuts);
    }

    private static Cut ReadCut(CanonicalReader reader)
    {
        reader.BeginArray(3);
        var cut = new Cut(reader.Id<PeerId>(), reader.UInt(), reader.Id<EnvelopeId>());
        reader.EndArray();
        CanonicalReader.Require(cut.Seq > 0, "a cut's seq starts at 1");
        return cut;
    }

    private static void WriteRevoke(CanonicalWriter writer, Revoke revoke)
    {
        Begin(writer, RevokeKind);
        writer.Id(revoke.Target);
        writer.OptionalId(revoke.Proof);
        writer.Array(revoke.Cuts, cut =>
        {
            writer.BeginArray(3);
            writer.Id(cut.Author);
            writer.UInt(cut.Seq);
            writer.Id(cut.Envelope);
            writer.EndArray();
        });
    }

    private static Rotate ReadRotate(CanonicalReader reader)
    {
        var zone = ReadRootZone(reader);

        // A document has at most Limits.Statements epochs, so a greater number cannot follow from §5.1.
        var number = reader.SmallInt(Limits.Statements - 1);
        var previous = reader.Array(Limits.PreviousEpochs, reader.Id<EnvelopeId>);
        CanonicalReader.RequireAscending(previous, "previous epochs");
        CanonicalReader.Require(number == 0 == (previous.Length == 0), "epoch number does not fit the previous epochs");
        return new(zone, number, previous, reader.Bytes32(), reader.Bytes32(), ReadWraps(reader), ReadHistWraps(reader));
    }

    private static void WriteRotate(CanonicalWriter writer, Rotate rotate)
    {
        Begin(writer, RotateKind);
        writer.Zone(rotate.Zone);
        writer.UInt((ulong)rotate.Number);
        writer.Array(rotate.PreviousEpochs, writer.Id);
        writer.Bytes32(rotate.Commit);
        writer.Bytes32(rotate.CommitHistory);
        WriteWraps(writer, rotate.Wraps, rotate.HistWraps);
    }

    private static Wrap ReadWrap(CanonicalReader reader) =>
        new(ReadRootZone(reader), reader.Id<EnvelopeId>(), ReadWraps(reader), ReadHistWraps(reader));

    private static void WriteWrap(CanonicalWriter writer, Wrap wrap)
    {
        Begin(writer, WrapKind);
        writer.Zone(wrap.Zone);
        writer.Id(wrap.Epoch);
        WriteWraps(writer, wrap.Wraps, wrap.HistWraps);
    }

    private static AccountKey ReadAccountKey(CanonicalReader reader)
    {
        var generation = (uint)reader.UInt(uint.MaxValue);
        CanonicalReader.Require(reader.UInt() == Suite, "suite is not known", Reason.Unsupported);
        return new(generation, reader.Bytes32(), (uint)reader.UInt(generation));
    }

    private static void WriteAccountKey(CanonicalWriter writer, AccountKey key)
    {
        Begin(writer, AccountKeyKind);
        writer.UInt(key.Generation);
        writer.UInt(Suite);
        writer.Bytes32(key.PublicKey);
        writer.UInt(key.CompromisedBelow);
    }

    private static KeyWrap[] ReadWraps(CanonicalReader reader)
    {
        var wraps = reader.Array(Limits.Wraps, () => KeyWrap.Read(reader));
        CanonicalReader.RequireAscending(wraps, "wraps");
        return wraps;
    }

    // parentWraps come first and are for zones below the root, which this version does not have.
    private static HistWrap[] ReadHistWraps(CanonicalReader reader)
    {
        CanonicalReader.Require(reader.BeginArrayUpTo(int.MaxValue) == 0, "parentWraps are not known to this version", Reason.Unsupported);
        reader.EndArray();
        var wraps = reader.Array(Limits.PreviousEpochs, () => HistWrap.Read(reader));
        CanonicalReader.RequireAscending(wraps, "histWraps");
        return wraps;
    }

    private static void WriteWraps(CanonicalWriter writer, IReadOnlyList<KeyWrap> wraps, IReadOnlyList<HistWrap> histWraps)
    {
        writer.Array(wraps, wrap => wrap.Write(writer));
        writer.BeginArray(0);
        writer.EndArray();
        writer.Array(histWraps, wrap => wrap.Write(writer));
    }

    private static ZoneId ReadRootZone(CanonicalReader reader)
    {
        var zone = reader.Zone();
        CanonicalReader.Require(zone == ZoneId.Root, "zones below the root are not known to this version", Reason.Unsupported);
        return zone;
    }

    private static void RequireNull(CanonicalReader reader, string item)
    {
        CanonicalReader.Require(reader.Peek() == CanonicalKind.Null, $"{item} is not known to this version", Reason.Unsupported);
        reader.Null();
    }
}

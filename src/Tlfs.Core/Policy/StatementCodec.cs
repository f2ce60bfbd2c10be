using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace Tlfs.Core.Policy;

/// <summary>The bytes of statement bodies (docs/protocol/statements.md §3): an array whose first item is the kind.</summary>
internal static class StatementCodec
{
    private const int GenesisKind = 0, GrantKind = 1, RevokeKind = 2, RenounceKind = 3, ZoneCreateKind = 4, RotateKind = 5, WrapKind = 6, AccountKeyKind = 9, EquivocationKind = 10;
    private const int LongestBody = 10;
    private const int SignatureBytes = 64;
    private const ulong Suite = 1;

    public static Statement Read(CanonicalReader reader, CardVerifier cards, ForkVerifier forks)
    {
        var count = reader.BeginArrayUpTo(LongestBody);
        CanonicalReader.Require(count > 0, "statement kind expected");
        var kind = reader.UInt();
        CanonicalReader.Require(
            kind is GenesisKind or GrantKind or RevokeKind or RenounceKind or ZoneCreateKind or RotateKind or WrapKind or AccountKeyKind or EquivocationKind,
            "statement kind is not known",
            Reason.Unsupported);
        var extra = count - ItemCount((int)kind);
        CanonicalReader.Require(extra == 0 || (extra == 1 && kind is GrantKind or RotateKind), "statement has another number of items");
        Statement statement = (int)kind switch
        {
            GenesisKind => ReadGenesis(reader, cards),
            GrantKind => ReadGrant(reader, cards, isFromNow: extra == 1),
            RevokeKind => ReadRevoke(reader),
            RenounceKind => new Renounce(reader.Id<GrantId>()),
            ZoneCreateKind => new ZoneCreate(reader.Zone(), reader.Id<GrantId>(), reader.Bytes32()),
            RotateKind => ReadRotate(reader, hasPath: extra == 1),
            WrapKind => ReadWrap(reader),
            EquivocationKind => ReadEquivocation(reader, forks),
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
            case ZoneCreate creation:
                Begin(writer, ZoneCreateKind);
                writer.Zone(creation.Parent);
                writer.Id(creation.Grant);
                writer.Bytes32(creation.PathCommit);
                break;
            case Rotate rotate: WriteRotate(writer, rotate); break;
            case Wrap wrap: WriteWrap(writer, wrap); break;
            case AccountKey key: WriteAccountKey(writer, key); break;
            case Equivocation fork: WriteEquivocation(writer, fork); break;
            default: throw new InvalidOperationException("Statement is closed");
        }

        writer.EndArray();
    }

    // A grant from now on, and a rotate below zone 0, have one item more.
    private static int ItemCount(int kind) => kind switch
    {
        GenesisKind => 5,
        GrantKind => 7,
        RevokeKind => 4,
        RenounceKind => 2,
        ZoneCreateKind => 4,
        RotateKind => 9,
        WrapKind => 6,
        _ => 5,
    };

    private static void Begin(CanonicalWriter writer, int kind, bool isLonger = false)
    {
        writer.BeginArray(ItemCount(kind) + (isLonger ? 1 : 0));
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

    private static Grant ReadGrant(CanonicalReader reader, CardVerifier cards, bool isFromNow)
    {
        var actor = Actor.Read(reader, cards);
        var permission = reader.UInt();
        CanonicalReader.Require(permission <= (ulong)Permission.Own, "permission is not known", Reason.Unsupported);
        var zone = reader.Zone();
        var sub = ReadSub(reader);
        CanonicalReader.Require(sub is null || permission == (ulong)Permission.Write, "only write has a sub");
        var parent = reader.OptionalId<GrantId>();
        CanonicalReader.Require(reader.Peek() == CanonicalKind.Null, "if is not known to this version", Reason.Unsupported);
        reader.Null();
        if (isFromNow)
        {
            CanonicalReader.Require(reader.Bool(), "the eighth item is true or not there");
            CanonicalReader.Require(actor is AccountActor && permission >= (ulong)Permission.Read, "from now on is for accounts that read");
        }

        return new(actor, (Permission)permission, zone, parent) { Sub = sub, FromNow = isFromNow };
    }

    private static void WriteGrant(CanonicalWriter writer, Grant grant)
    {
        Begin(writer, GrantKind, grant.FromNow);
        grant.Actor.Write(writer);
        writer.UInt((ulong)grant.Permission);
        writer.Zone(grant.Zone);
        WriteSub(writer, grant.Sub);
        writer.OptionalId(grant.Parent);
        writer.Null();
        if (grant.FromNow) writer.Bool(true);
    }

    private static SubPath? ReadSub(CanonicalReader reader)
    {
        if (reader.Peek() == CanonicalKind.Null)
        {
            reader.Null();
            return null;
        }

        reader.BeginArray(3);
        var sub = new SubPath(reader.Bytes32(), reader.Id<EnvelopeId>(), reader.Bytes(Limits.SealedPathBytes));
        reader.EndArray();
        return sub;
    }

    private static void WriteSub(CanonicalWriter writer, SubPath? sub)
    {
        if (sub is null)
        {
            writer.Null();
            return;
        }

        writer.BeginArray(3);
        writer.Bytes32(sub.Commit);
        writer.Id(sub.Epoch);
        writer.Bytes(sub.Sealed.Span);
        writer.EndArray();
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

    private static Rotate ReadRotate(CanonicalReader reader, bool hasPath)
    {
        var zone = reader.Zone();
        CanonicalReader.Require(hasPath == (zone != ZoneId.Root), "a rotate says where its zone is, below zone 0 only");

        // A document has at most Limits.Statements epochs, so a greater number cannot follow from §5.1.
        var number = reader.SmallInt(Limits.Statements - 1);
        var previous = reader.Array(Limits.PreviousEpochs, reader.Id<EnvelopeId>);
        CanonicalReader.RequireAscending(previous, "previous epochs");
        CanonicalReader.Require(number == 0 == (previous.Length == 0), "epoch number does not fit the previous epochs");
        var (commit, commitHistory) = (reader.Bytes32(), reader.Bytes32());
        var (wraps, parentWraps, histWraps) = ReadWraps(reader, zone);
        return new(zone, number, previous, commit, commitHistory, wraps, histWraps)
        {
            ParentWraps = parentWraps,
            SealedPath = hasPath ? reader.Bytes(Limits.SealedPathBytes) : default(ReadOnlyMemory<byte>?),
        };
    }

    private static void WriteRotate(CanonicalWriter writer, Rotate rotate)
    {
        Begin(writer, RotateKind, rotate.SealedPath.HasValue);
        writer.Zone(rotate.Zone);
        writer.UInt((ulong)rotate.Number);
        writer.Array(rotate.PreviousEpochs, writer.Id);
        writer.Bytes32(rotate.Commit);
        writer.Bytes32(rotate.CommitHistory);
        WriteWraps(writer, rotate.Wraps, rotate.ParentWraps, rotate.HistWraps);
        if (rotate.SealedPath is { } path) writer.Bytes(path.Span);
    }

    private static Wrap ReadWrap(CanonicalReader reader)
    {
        var (zone, epoch) = (reader.Zone(), reader.Id<EnvelopeId>());
        var (wraps, parentWraps, histWraps) = ReadWraps(reader, zone);
        return new(zone, epoch, wraps, histWraps) { ParentWraps = parentWraps };
    }

    private static void WriteWrap(CanonicalWriter writer, Wrap wrap)
    {
        Begin(writer, WrapKind);
        writer.Zone(wrap.Zone);
        writer.Id(wrap.Epoch);
        WriteWraps(writer, wrap.Wraps, wrap.ParentWraps, wrap.HistWraps);
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

    private static Equivocation ReadEquivocation(CanonicalReader reader, ForkVerifier forks)
    {
        var (first, second) = (ReadSignedHeader(reader), ReadSignedHeader(reader));
        CanonicalReader.Require(forks(first, second, out var fork), "the headers prove no fork");
        return new(first, second, fork);
    }

    private static SignedHeader ReadSignedHeader(CanonicalReader reader) => new(reader.Bytes(Limits.HeaderBytes), reader.FixedBytes(SignatureBytes));

    private static void WriteEquivocation(CanonicalWriter writer, Equivocation fork)
    {
        Begin(writer, EquivocationKind);
        foreach (var signed in (SignedHeader[])[fork.First, fork.Second])
        {
            writer.Bytes(signed.Header.Span);
            writer.Bytes(signed.Signature.Span);
        }
    }

    private static (KeyWrap[] Wraps, ParentWrap[] ParentWraps, HistWrap[] HistWraps) ReadWraps(CanonicalReader reader, ZoneId zone)
    {
        var wraps = reader.Array(Limits.Wraps, () => KeyWrap.Read(reader));
        CanonicalReader.RequireAscending(wraps, "wraps");
        var parentWraps = reader.Array(Limits.ParentWraps, () => ParentWrap.Read(reader));
        CanonicalReader.RequireAscending(parentWraps, "parentWraps");
        CanonicalReader.Require(zone != ZoneId.Root || parentWraps.Length == 0, "zone 0 has no parent");
        var histWraps = reader.Array(Limits.PreviousEpochs, () => HistWrap.Read(reader));
        CanonicalReader.RequireAscending(histWraps, "histWraps");
        return (wraps, parentWraps, histWraps);
    }

    private static void WriteWraps(
        CanonicalWriter writer, IReadOnlyList<KeyWrap> wraps, IReadOnlyList<ParentWrap> parentWraps, IReadOnlyList<HistWrap> histWraps)
    {
        writer.Array(wraps, wrap => wrap.Write(writer));
        writer.Array(parentWraps, wrap => wrap.Write(writer));
        writer.Array(histWraps, wrap => wrap.Write(writer));
    }
}

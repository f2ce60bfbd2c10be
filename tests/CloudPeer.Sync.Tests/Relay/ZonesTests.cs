using CloudPeer.Sync.Relay;
using CloudPeer.TestKit;
using CloudPeer.TestKit.Relay;
using Tlfs.Core;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Xunit;

namespace CloudPeer.Sync.Tests.Relay;

/// <summary>A blind server tells zones apart: what it takes (statements.md §4.9), and what it gives (sync.md §3.1).</summary>
public sealed class ZonesTests : IAsyncDisposable
{
    private readonly MemoryRelayStore _store = new();
    private readonly RelayWorld _world;
    private readonly SigningKey _owner;

    public ZonesTests()
    {
        _world = new(_store);
        _owner = _world.Tenant();
    }

    [Fact]
    public async Task Every_part_needs_a_right_in_its_zone_and_one_that_has_none_refuses_all()
    {
        var (document, inner, outer) = await WithZonesAsync();
        var member = _world.Device();
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, member.Public, Permission.Write, outer));
        Envelope Delta(params ZoneId[] zones) => document.Parts(member, EnvelopeType.Delta, [], zones);

        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, Delta(ZoneId.Root))).Reason);
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, Delta(ZoneId.Root, outer))).Reason);
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, Delta(outer, new EnvelopeId(_owner.Public.Value).Zone))).Reason);
        await _world.AcceptAsync(member, document, Delta(outer, inner));
    }

    [Fact]
    public async Task A_grant_on_a_path_writes_parts_of_its_zone_and_no_snapshot()
    {
        var (document, inner, outer) = await WithZonesAsync();
        var member = _world.Device();
        await _world.AcceptAsync(_owner, document, document.NextPathGrant(_owner, member.Public, outer));
        var snapshot = new SnapshotBody(0, 1, [outer]).Encode();

        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, document.Parts(member, EnvelopeType.Delta, [], ZoneId.Root))).Reason);
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, document.Parts(member, EnvelopeType.Snapshot, snapshot, outer))).Reason);
        await _world.AcceptAsync(member, document, document.NextParts(member, outer, inner));
    }

    [Fact]
    public async Task A_snapshot_needs_write_on_all_zones_that_it_says_it_covers()
    {
        var (document, inner, outer) = await WithZonesAsync();
        var member = _world.Device();
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, member.Public, Permission.Write, inner));
        Envelope Snapshot(params ZoneId[] zones) =>
            document.Parts(member, EnvelopeType.Snapshot, new SnapshotBody(0, 1, [.. zones.Order()]).Encode(), inner);

        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(member, document, Snapshot(inner, outer))).Reason);
        Assert.Equal(Reason.Malformed, (await _world.RefuseAsync(member, document, document.Parts(member, EnvelopeType.Snapshot, [0x80], inner))).Reason);
        await _world.AcceptAsync(member, document, Snapshot(inner));
    }

    [Fact]
    public async Task Who_may_sync_a_zone_gets_all_headers_and_statements_and_the_parts_of_that_zone()
    {
        var (document, inner, outer) = await WithZonesAsync();
        var (member, path) = (_world.Device(), _world.Device());
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, member.Public, Permission.Sync, inner));
        await _world.AcceptAsync(_owner, document, document.NextPathGrant(_owner, path.Public, outer));
        await _world.AcceptAsync(_owner, document, document.NextParts(_owner, ZoneId.Root, outer, inner), document.NextParts(_owner, inner));

        await AssertReadsAsync(document, _owner, ZoneId.Root, outer, inner);
        await AssertReadsAsync(document, member, inner);
        await AssertReadsAsync(document, path, outer, inner);
    }

    [Fact]
    public async Task A_subscription_narrows_when_a_right_ends_and_ends_with_the_last_one()
    {
        var (document, inner, outer) = await WithZonesAsync();
        var member = _world.Device();
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, member.Public, Permission.Read, outer));
        var wide = document.GrantOf(member.Public);
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, member.Public, Permission.Read, inner));
        await _world.AcceptAsync(_owner, document, document.NextParts(_owner, outer, inner));
        await AssertReadsAsync(document, member, outer, inner);

        var size = (ulong)document.Envelopes.Count;
        var waiting = _world.Relay.WaitAsync(member.Public, document.Id, size, CancellationToken.None);
        await _world.AcceptAsync(_owner, document, document.Next(_owner, new Revoke(wide, document.GrantOf(_owner.Public), [])));
        Assert.Null(await waiting);
        await AssertReadsAsync(document, member, inner);

        waiting = _world.Relay.WaitAsync(member.Public, document.Id, size + 1, CancellationToken.None);
        await _world.AcceptAsync(_owner, document, document.NextRevoke(_owner, member.Public));
        Assert.Equal(Refusal.NotFound, await waiting);
        Assert.Equal(Refusal.NotFound, (await _world.Relay.ReadAsync(member.Public, document.Id, new(0), CancellationToken.None)).Refusal);
    }

    [Fact]
    public async Task A_piece_of_the_log_and_headers_alone_can_be_asked_for()
    {
        var (document, _, outer) = await WithZonesAsync();
        await _world.AcceptAsync(_owner, document, document.NextParts(_owner, ZoneId.Root, outer));
        var size = (ulong)document.Envelopes.Count;
        async Task<LogPage> ReadAsync(LogRange range) => (await _world.Relay.ReadAsync(_owner.Public, document.Id, range, CancellationToken.None)).Value!;

        var middle = await ReadAsync(new(1) { Until = 3 });
        Assert.Equal(document.Envelopes.Skip(1).Take(2).Select(envelope => envelope.Id), middle.Entries.Select(entry => entry.Id));
        Assert.Null(middle.CaughtUp);
        Assert.Empty((await ReadAsync(new(3) { Until = 2 })).Entries);
        Assert.NotNull((await ReadAsync(new(1) { Until = size + 5 })).CaughtUp);

        var headers = await ReadAsync(new(0) { HeadersOnly = true });
        Assert.NotNull(headers.CaughtUp);
        foreach (var (entry, envelope) in headers.Entries.Zip(document.Envelopes))
        {
            Assert.Equal(envelope.Id, entry.Id);
            Assert.Equal(envelope.Head.ToArray(), (entry.Partial?.Bytes ?? entry.Bytes).ToArray());
        }
    }

    [Fact]
    public async Task Zones_are_made_one_after_the_other()
    {
        var document = await _world.HostedAsync(_owner);
        await _world.AcceptAsync(_owner, document, document.NextZone(_owner));
        var other = _world.Device();
        var grant = document.NextGrant(_owner, other.Public, Permission.Own);
        await _world.AcceptAsync(_owner, document, grant);

        // The other owner has seen its grant, and not what came after.
        await _world.AcceptAsync(_owner, document, document.NextZone(_owner));
        var creation = new ZoneCreate(ZoneId.Root, grant.Id.Grant, default).Encode();
        var behind = document.Draft(other.Public) with { Auth = [grant.Id] };
        var late = behind.SignStatement(other, creation);
        var outcome = Assert.Single(await _world.Relay.PushAsync(other.Public, document.Id, [[late.Bytes]], CancellationToken.None, _ => true));
        Assert.Equal(Reason.PolicyMoved, outcome.Refusal?.Reason);

        // Another server may have taken it: then this one takes it too.
        await _world.AcceptAsync(other, document, late);
    }

    [Fact]
    public async Task A_zone_needs_control_above_it()
    {
        var (document, inner, outer) = await WithZonesAsync();
        var (writer, keeper) = (_world.Device(), _world.Device());
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, writer.Public, Permission.Write));
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, keeper.Public, Permission.Control, inner));
        Envelope Zone(SigningKey author, ZoneId parent) =>
            document.Draft(author.Public).SignStatement(author, new ZoneCreate(parent, document.GrantOf(author.Public), default).Encode());

        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(writer, document, Zone(writer, ZoneId.Root))).Reason);
        Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(keeper, document, Zone(keeper, outer))).Reason);
        await _world.AcceptAsync(keeper, document, document.NextZone(keeper, inner));
    }

    [Fact]
    public async Task A_server_hosts_with_a_grant_on_the_whole_document_only()
    {
        var (member, document) = (_world.Device(), _world.Document(_owner));
        await _world.AcceptAsync(_owner, document, document.Genesis, document.NextGrant(_owner, member.Public, Permission.Read));
        var zone = document.NextZone(_owner);
        await _world.AcceptAsync(_owner, document, zone, document.NextGrant(_owner, _world.Server.Public, Permission.Sync, zone.Id.Zone));
        Assert.Equal(HostingState.Private, (await _store.FindAsync(document.Id, CancellationToken.None))!.Hosting);
        Assert.False(await _world.Relay.MayReadAsync(member.Public, document.Id, CancellationToken.None));
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, _world.Server.Public, Permission.Sync));
        Assert.True(await _world.Relay.MayReadAsync(member.Public, document.Id, CancellationToken.None));
    }

    /// <summary>Row P3: a statement that does not lead to the DocId is not stored, whoever pushes it.</summary>
    [Fact]
    public async Task P3_server_refuses_statements_that_do_not_lead_to_the_document()
    {
        var (mallory, puppet) = (_world.Device(), _world.Device());
        var (document, foreign) = (await _world.HostedAsync(_owner), _world.Document(mallory));
        await _world.AcceptAsync(_owner, document, document.NextGrant(_owner, mallory.Public, Permission.Write));
        var own = document.GrantOf(mallory.Public);
        Statement Give(GrantId? parent) => new Grant(new PeerActor(puppet.Public), Permission.Read, ZoneId.Root, parent);
        Statement[] statements =
        [
            Give(null),
            Give(foreign.Genesis.Id.Grant),
            Give(document.GrantOf(_owner.Public)),
            Give(own),
            new Revoke(document.GrantOf(_world.Server.Public), null, []),
            new Revoke(document.GrantOf(_world.Server.Public), own, []),
            new Revoke(document.GrantOf(_world.Server.Public), document.GrantOf(_owner.Public), []),
            new Renounce(document.GrantOf(_owner.Public)),
            new ZoneCreate(ZoneId.Root, own, default),
            new ZoneCreate(ZoneId.Root, foreign.Genesis.Id.Grant, default),
        ];
        foreach (var statement in statements)
        {
            var envelope = document.Draft(mallory.Public).SignStatement(mallory, statement.Encode());
            Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(mallory, document, envelope)).Reason);
            Assert.Equal(Reason.NotAuthorised, (await _world.RefuseAsync(_owner, document, envelope)).Reason);
        }

        // The genesis of another document's authority, in this document's name.
        var genesis = Draft.First(document.Id).SignStatement(foreign.Authority, new Genesis(document.Id, DocumentKind.App, new PeerActor(mallory.Public)).Encode());
        Assert.Equal(Reason.AuthorUnknown, (await _world.RefuseAsync(mallory, document, genesis)).Reason);
        Assert.False(await _world.Relay.MayReadAsync(puppet.Public, document.Id, CancellationToken.None));
    }

    public async ValueTask DisposeAsync()
    {
        await _world.DisposeAsync();
        _owner.Dispose();
        await _store.DisposeAsync();
    }

    private async Task<(DocumentBuilder Document, ZoneId Inner, ZoneId Outer)> WithZonesAsync()
    {
        var document = await _world.HostedAsync(_owner);
        var outer = document.NextZone(_owner);
        var inner = document.NextZone(_owner, outer.Id.Zone);
        await _world.AcceptAsync(_owner, document, outer, inner);
        return (document, inner.Id.Zone, outer.Id.Zone);
    }

    private async Task AssertReadsAsync(DocumentBuilder document, SigningKey reader, params ZoneId[] zones)
    {
        var entries = await RelayWorld.ReadAllAsync(_world.Relay, reader, document.Id);
        foreach (var (entry, envelope) in entries.Zip(document.Envelopes))
        {
            var expected = envelope.Without(part => !zones.Contains(part.Zone));
            Assert.Equal(expected.IsWhole, entry.Partial is null);
            Assert.Equal(expected.Bytes.ToArray(), (entry.Partial?.Bytes ?? entry.Bytes).ToArray());
            Assert.Equal(expected.Present, entry.Partial?.Present ?? expected.Present);
        }
    }
}

using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;
using Tlfs.Core.Tests.Documents;
using Xunit;

namespace Tlfs.Core.Tests.Regressions;

/// <summary>What one member, or many who are only busy, must not be able to spoil for the others.</summary>
public sealed class HostileMemberTests
{
    [Fact]
    public void A_schema_that_only_void_parts_carry_does_not_become_the_documents()
    {
        using var ann = Copy.Begin(People.Ann, 120);
        ann.Set(".title", "\"mine\"");
        ann.Grant(People.Bob, Permission.Read);
        using var bob = ann.Share(People.Bob, 121);
        var (name, json) = (ann.Document.CarriedName, ann.Document.ToJson());
        ann.Receive([bob.Write(new(Schemas.Everything.Hash, [new SchemaOperation(new(9, 0, 0), Schemas.Everything).Encode()]))]);
        Assert.Equal(name, ann.Document.CarriedName);
        Assert.Equal(json, ann.Document.ToJson());
    }

    /// <summary>Row P3: statements that a lying server delivers, and that do not lead to the DocId, give nobody anything and take nothing.</summary>
    [Fact]
    public void P3_client_voids_statements_that_do_not_lead_to_the_document()
    {
        using var ann = Copy.Begin(People.Ann, 126);
        using var foreign = Copy.Begin(People.Bob, 127);
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 128);
        var grants = ann.Document.Policy.Grants;
        var (owner, own, other) = (grants[0].Id, grants[^1].Id, foreign.Document.Policy.Grants[0].Id);
        var puppet = new PeerActor(new(Hashing.Hash(Label.Env, [129])));
        Statement[] statements =
        [
            .. new GrantId?[] { null, owner, own, other }.Select(parent => new Grant(puppet, Permission.Sync, ZoneId.Root, parent)),
            .. new GrantId?[] { null, owner, own, other }.Select(proof => new Revoke(owner, proof, [])),
            new Renounce(owner),
            new ZoneCreate(ZoneId.Root, own, default),
        ];
        var lies = statements.Select(statement => bob.State(statement)).ToList();
        ann.Receive(lies);
        Assert.All(lies, lie => Assert.Equal(Reason.NotAuthorised, ann.Document.Log.Single(held => held.Envelope.Id == lie.Id).Outcome.Reason));
        Assert.True(ann.Document.Policy.May(People.Ann.Device.Public, Permission.Own));
        Assert.False(ann.Document.Policy.MayAnywhere(puppet.Id, Permission.Sync));
        Assert.Empty(ann.Document.Policy.Zones.Children(ZoneId.Root));
    }

    [Fact]
    public void A_remove_of_dots_that_no_envelope_has_does_not_reach_into_an_edit()
    {
        using var ann = Copy.Begin(People.Ann, 122);
        Dot[] dots = [.. Enumerable.Range(0, 64).Select(index => new Dot(default, 0, (uint)index))];
        ann.Write(new(Schemas.Tour.Hash, [new Remove(StoragePath.Root, dots).Encode()]));
        ann.Edit(edit =>
        {
            edit.Insert(".tasks", 0, Json.Parse("""{"title":"a"}"""));
            edit.Set(".tasks[0].title", Json.Parse("\"b\""));
        });
        Assert.Equal("""{"people":{},"tasks":[{"complete":false,"title":["b"]}],"title":[]}""", ann.Document.ToJson(allValues: true));
    }

    [Fact]
    public void A_card_with_a_key_that_nothing_can_be_sealed_to_is_refused()
    {
        using var authority = SigningKey.Generate(new SeededEntropy(123));
        using var device = SigningKey.Generate(new SeededEntropy(124));
        var id = new DocId(authority.Public.Value);
        var genesis = Draft.First(id).SignStatement(authority, new Genesis(id, DocumentKind.Account, new PeerActor(device.Public)).Encode());
        foreach (var point in (byte[])[0, 1])
        {
            var key = new Draft(id, 1, default, [genesis.Id], [genesis.Id], null)
                .SignStatement(device, new AccountKey(1, new([point, .. new byte[31]]), 0).Encode());
            var card = Canonical.Encode(writer =>
            {
                writer.BeginArray(2);
                writer.Bytes(genesis.Bytes.Span);
                writer.Bytes(key.Bytes.Span);
                writer.EndArray();
            });
            Assert.False(AccountCard.TryDecode(card, out _, out var error));
            Assert.Equal(Reason.Malformed, error.Reason);
        }
    }

    [Fact]
    public void Who_was_granted_while_many_others_spoke_names_its_grant_and_at_most_sixteen_heads()
    {
        using var ann = Copy.Begin(People.Ann, 125);
        var peers = Enumerable.Range(0, 40).Select(i => SigningKey.Generate(new SeededEntropy(300 + (ulong)i))).ToArray();
        var grants = new List<GrantId>();
        ann.Make(author => grants.AddRange(peers.Select(peer => author.Grant(new PeerActor(peer.Public), Permission.Sync))));
        ann.Grant(People.Bob, Permission.Write);
        Envelope[] renounced = [.. peers.Zip(grants, (peer, grant) =>
            new Draft(ann.Document.Id, 1, default, [], [grant.Envelope], null).SignStatement(peer, new Renounce(grant).Encode()))];


        // Ids are hashes: Ann goes on until more than enough of the others come before hers.
        for (byte more = 0; renounced.Count(envelope => envelope.Id.CompareTo(ann.Document.Log[^1].Envelope.Id) < 0) <= Limits.Auth; more++)
            ann.Make(author => author.Grant(new PeerActor(new(new([more, .. new byte[31]]))), Permission.Sync));
        using var bob = ann.Share(People.Bob, 126);
        Assert.All(bob.Receive(renounced), outcome => Assert.Equal(Outcome.Applied, outcome));
        var edit = bob.Set(".title", "\"heard\"");
        Assert.InRange(edit.Header.Auth.Count, 1, Limits.Auth);
        ann.Receive(renounced);
        Assert.Equal(Outcome.Applied, ann.Receive([edit])[0]);
        foreach (var peer in peers) peer.Dispose();
    }

    [Fact]
    public void A_later_reader_reads_what_was_sealed_under_each_of_two_concurrent_epochs()
    {
        using var ann = Copy.Begin(People.Ann, 127);
        ann.Grant(People.Bob, Permission.Write);
        using var bob = ann.Share(People.Bob, 128);
        ann.Rotate(129, People.Ann, People.Bob);
        bob.Rotate(130, People.Ann, People.Bob);
        ann.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("{}")));
        bob.Edit(edit => edit.Insert(".tasks", 0, Json.Parse("{}")));
        ann.Receive(bob);
        ann.Grant(People.Cid, Permission.Read);
        using var cid = ann.Share(People.Cid, 131);
        Assert.Equal(ann.Document.StateHash, cid.Document.StateHash);
        Assert.Empty(ann.Make(author => author.WrapMissing()));
    }

    [Fact]
    public void An_epoch_that_does_not_lead_back_as_it_says_does_not_lose_the_history()
    {
        using var ann = Copy.Begin(People.Ann, 132);
        var grant = ann.Grant(People.Bob, Permission.Write);
        ann.Set(".title", "\"early\"");
        using var bob = ann.Share(People.Bob, 133);
        var rotation = bob.Document.Keyring.NewEpoch(new SeededEntropy(134), ZoneId.Root, [new(People.Ann.Card), new(People.Bob.Card)]);
        bob.State(rotation with { HistWraps = [new(rotation.PreviousEpochs[0], new byte[HistWrap.SealedBytes])] });
        ann.Receive(bob);
        ann.Make(author => author.Revoke(grant));
        ann.Grant(People.Cid, Permission.Read);
        using var cid = ann.Share(People.Cid, 135);
        Assert.Equal(ann.Document.StateHash, cid.Document.StateHash);
        Assert.Equal(ann.Document.ToJson(), cid.Document.ToJson());
    }
}

using CloudPeer.TestKit;
using Tlfs.Core.Crdt;
using Tlfs.Core.Crypto;
using Tlfs.Core.Documents;
using Tlfs.Core.Ids;
using Tlfs.Core.Paths;
using Tlfs.Core.Policy;
using Tlfs.Core.Schema;
using Tlfs.Core.Sealing;
using Xunit;

namespace Tlfs.Core.Tests.Golden;

/// <summary>
/// The bytes of version 1, frozen: an account, a document with one of each statement, a message. All randomness is that of <see cref="SeededEntropy"/>, so
/// whoever implements the protocol can make the same bytes. A difference here breaks every stored document: it is never fixed by writing the file anew.
/// </summary>
public sealed class FrozenBytes
{
    [Fact]
    public void Everything_encodes_to_the_frozen_bytes()
    {
        var made = Make();
        Assert.Equal(Frozen.Lines.Select(line => line.Name), made.Select(line => line.Name), StringComparer.Ordinal);
        foreach (var (frozen, actual) in Frozen.Lines.Zip(made)) Assert.Equal(Convert.ToHexStringLower(frozen.Bytes), Convert.ToHexStringLower(actual.Bytes));
    }

    [Fact]
    public void The_frozen_document_still_opens_and_says_what_it_said()
    {
        Assert.True(AccountKeys.TryDecode(Frozen.Bytes("account-b-keys"), out var own));
        using (own)
        {
            var envelopes = Frozen.Envelopes.Select(Decode).ToArray();
            using var document = new Document(envelopes[0].Header.Document, own!);
            var outcomes = document.Receive(envelopes).ToArray();
            Assert.All(outcomes[..^1], outcome => Assert.Equal(Outcome.Applied, outcome));
            Assert.Equal(Outcome.KeyMissing(Reason.KeyMissing), outcomes[^1]);
            Assert.Equal("""{"people":{},"tasks":[{"complete":true,"title":"milk"}],"title":null}""", document.ToJson());
        }
    }

    private static List<(string Name, byte[] Bytes)> Make()
    {
        var entropy = new SeededEntropy(42);
        using var phraseA = RecoveryPhrase.Generate(entropy);
        using var phraseB = RecoveryPhrase.Generate(entropy);
        using var a = AccountKeys.Create(entropy, phraseA);
        using var b = AccountKeys.Create(entropy, phraseB);
        using var authority = SigningKey.Generate(entropy);
        using var server = SigningKey.Generate(entropy);
        var id = new DocId(authority.Public.Value);
        using var document = new Document(id, a);
        var head = LogHead.Sign(server, id, 4, new Bytes32(new byte[32]), 1_800_000_000_000_000);
        var author = new DocumentAuthor(document, entropy);
        author.Begin(authority, new TlfsVersion(new SchemaVersion(0, 1, 0), Schemas.Tour));
        var grant = author.Grant(b.Card.Actor, Permission.Write);
        author.Grant(new PeerActor(server.Public), Permission.Sync);
        author = new DocumentAuthor(document, entropy, head);
        author.Write(Milk(entropy));
        author.Revoke(grant);
        author.Edit(edit => edit.Set(".title", Core.Crdt.Json.Parse("\"private\"")));
        var invitation = new Invitation(id, [new(server.Public, "http://localhost:5180")], grant, "todoapp", "hello", [new(server.Public, 4, head.Root)], []);
        var message = SealedMessage.Seal(entropy, a, b.Card, Invitation.MessageType, 1_800_000_000_000_000, invitation.Encode());
        var lines = new List<(string, byte[])>
        {
            ("account-a-keys", a.Encode()), ("account-b-keys", b.Encode()), ("account-a-card", a.Card.Bytes.ToArray()),
            ("lens-list", Schemas.Tour.Bytes.ToArray()), ("head-signature", head.Signature),
            ("invitation", invitation.Encode()), ("message", message.Bytes.ToArray()),
        };
        lines.AddRange(document.Log.Select((held, index) => ($"envelope-{index}", held.Envelope.Bytes.ToArray())));
        return lines;
    }

    // Operation by operation: which id and position an edit chooses for a new element is not part of the format.
    private static IReadOnlyList<Operation> Milk(SeededEntropy entropy)
    {
        var uid = new byte[Uid.Size];
        entropy.Fill(uid);
        Assert.True(Position.TryFrom([0x80], out var position));
        var tasks = Schemas.Tour.View.Root.Fields["tasks"];
        var key = Segment.Of(Uid.From(uid));
        return
        [
            new Place(tasks.Storage([]), key.Element, position),
            new Put(tasks.Element!.Storage([key]), Value.Null),
            new Put(tasks.Element.Fields["complete"].Storage([key]), Value.True),
            new Put(tasks.Element.Fields["title"].Storage([key]), Value.Of("milk")),
        ];
    }

    private static Envelope Decode(byte[] bytes) => Envelope.TryDecode(bytes, out var envelope, out _) ? envelope : throw new InvalidOperationException();
}

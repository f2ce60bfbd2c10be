using System.Buffers.Binary;
using System.Text;
using Tlfs.Core.Crypto;
using Tlfs.Core.Encoding;
using Tlfs.Core.Ids;

namespace CloudPeer.Sync.Sessions;

/// <summary>A call that destroys something carries the device's signature besides its session (docs/protocol/session.md, last paragraph).</summary>
public static class SignedRequest
{
    /// <summary>The method name under which <c>Inbox.Ack</c> is signed.</summary>
    public const string InboxAck = "/cloudpeer.v1.Inbox/Ack";

    /// <summary>The method name under which <c>Inbox.SetDeliveryToken</c> is signed.</summary>
    public const string InboxSetDeliveryToken = "/cloudpeer.v1.Inbox/SetDeliveryToken";

    /// <summary>The method name under which <c>Sync.DeleteDocument</c> is signed.</summary>
    public const string DeleteDocument = "/cloudpeer.v1.Sync/DeleteDocument";

    /// <summary>How far the request's time may be from the server's clock.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    /// <summary>Signs a request.</summary>
    /// <param name="peer">The device's key.</param>
    /// <param name="server">The server that is meant.</param>
    /// <param name="method">The full gRPC method name, such as <see cref="InboxAck"/>.</param>
    /// <param name="micros">The device's clock, microseconds since 1970.</param>
    /// <param name="canonicalRequest">What is asked for, as canonical CBOR.</param>
    public static byte[] Sign(SigningKey peer, PeerId server, string method, ulong micros, ReadOnlySpan<byte> canonicalRequest) =>
        peer.Sign(Label.RequestSig, Hash(server, method, micros, canonicalRequest));

    /// <summary>True if the signature is the device's and the time is within <see cref="Tolerance"/> of <paramref name="now"/>.</summary>
    public static bool Verify(
        PeerId peer, PeerId server, string method, ulong micros, ReadOnlySpan<byte> canonicalRequest, ReadOnlySpan<byte> signature, DateTimeOffset now)
    {
        var nowMicros = now.ToMicros();
        var distance = micros > nowMicros ? micros - nowMicros : nowMicros - micros;
        return distance <= (ulong)Tolerance.TotalMicroseconds
            && SigningKey.Verify(peer, Label.RequestSig, Hash(server, method, micros, canonicalRequest), signature);
    }

    /// <summary>The canonical bytes of <c>Inbox.Ack</c>: <c>CBOR [id, …]</c>, ascending.</summary>
    public static byte[] AckBytes(IReadOnlyCollection<MessageId> ids) =>
        Canonical.Encode(writer => writer.Array(ids, writer.Id));

    /// <summary>The canonical bytes of <c>Inbox.SetDeliveryToken</c>: <c>CBOR [token hash]</c>, an empty byte string when there are to be no contacts.</summary>
    public static byte[] TokenBytes(Bytes32? tokenHash) =>
        Canonical.Encode(writer =>
        {
            writer.BeginArray(1);
            writer.Bytes(tokenHash?.ToArray() ?? []);
            writer.EndArray();
        });

    /// <summary>The canonical bytes of <c>Sync.DeleteDocument</c>: <c>CBOR [document]</c>.</summary>
    public static byte[] DocumentBytes(DocId document) => Canonical.Encode(writer => writer.Array([document], writer.Id));

    private static Bytes32 Hash(PeerId server, string method, ulong micros, ReadOnlySpan<byte> canonicalRequest)
    {
        var name = Encoding.ASCII.GetBytes(method);
        var start = new byte[Bytes32.Size + name.Length + sizeof(ulong)];
        server.Value.CopyTo(start);
        name.CopyTo(start, Bytes32.Size);
        BinaryPrimitives.WriteUInt64BigEndian(start.AsSpan(Bytes32.Size + name.Length), micros);
        return Hashing.Hash(Label.Request, start, canonicalRequest);
    }
}

using System.Buffers.Binary;
using Microsoft.Data.Sqlite;
using Tlfs.Core.Crypto;
using Tlfs.Core.Ids;
using Tlfs.Core.Policy;
using Tlfs.Core.Sealing;

namespace Tlfs.Cli.Tests.Keys;

/// <summary>Reads from a replica's file every secret that the replica uses.</summary>
internal static class ReplicaSecrets
{
    /// <summary>Adds a person's secrets to a search, and returns the device's key, which the caller disposes.</summary>
    public static SigningKey Collect(string home, string who, SecretScan scan)
    {
        using var database = new SqliteConnection(new SqliteConnectionStringBuilder { DataSource = Path.Combine(home, "replica.db"), Mode = SqliteOpenMode.ReadOnly, Pooling = false }.ToString());
        database.Open();
        var stored = Blobs(database, "SELECT keys FROM identity").Single();
        if (!AccountKeys.TryDecode(stored, out var own)) throw new InvalidOperationException("the replica's keys do not decode");
        using (own)
        {
            scan.Add($"{who}'s device seed", own!.Device.Seed);
            scan.Add($"{who}'s KEM secret", own.Kem.Secret);
            scan.AddTokensOf(own.Device.Public);
            var envelopes = Blobs(database, "SELECT bytes FROM envelope").Select(Decode).ToList();
            foreach (var (epoch, content, history) in Epochs(own, envelopes))
            {
                scan.Add($"{who}'s content key of {epoch}", content);
                scan.Add($"{who}'s history key of {epoch}", history);
                AddPartKeys(who, scan, envelopes, epoch, content);
            }

            return new(own.Device.Seed);
        }
    }

    private static IEnumerable<(EnvelopeId Epoch, byte[] Content, byte[] History)> Epochs(AccountKeys own, List<Envelope> envelopes)
    {
        foreach (var envelope in envelopes)
        {
            if (!Statement.TryDecode(envelope.Body, AccountCard.Verify, out var statement, out _) || statement is not Rotate rotate) continue;
            foreach (var wrap in rotate.Wraps.Concat(Later(envelopes, envelope.Id)))
            {
                using var pair = Open(own, envelope.Header.Document, rotate, wrap);
                if (pair is not null) yield return (envelope.Id, pair.Bytes[..SecretKey.Size].ToArray(), pair.Bytes[SecretKey.Size..].ToArray());
            }
        }
    }

    private static IEnumerable<KeyWrap> Later(List<Envelope> envelopes, EnvelopeId epoch) => envelopes.SelectMany(envelope =>
        Statement.TryDecode(envelope.Body, AccountCard.Verify, out var statement, out _) && statement is Wrap wrap && wrap.Epoch == epoch ? wrap.Wraps : []);

    // Opened here by docs/protocol/statements.md §5.2, so that no key has to leave the product for this test.
    private static SecretKey? Open(AccountKeys own, DocId document, Rotate rotate, KeyWrap wrap)
    {
        if (wrap.Recipient != own.Card.Account.Value) return null;
        var generation = new byte[4];
        BinaryPrimitives.WriteUInt32BigEndian(generation, wrap.KemGeneration);
        var zone = new byte[ZoneId.Size];
        rotate.Zone.CopyTo(zone);
        var info = Label.WrapInfo.Prefix([.. document.Value.ToArray(), .. zone, .. rotate.Commit.ToArray(), .. wrap.Recipient.ToArray()], generation);
        return Hpke.TryOpen(own.Kem, new(wrap.Enc, wrap.Ciphertext.ToArray()), info, out var pair) ? pair : null;
    }

    private static void AddPartKeys(string who, SecretScan scan, List<Envelope> envelopes, EnvelopeId epoch, byte[] content)
    {
        foreach (var envelope in envelopes)
        {
            for (var i = 0; i < envelope.Header.Parts.Count; i++)
            {
                if (envelope.Header.Parts[i].Epoch != epoch) continue;
                using var key = Hashing.Derive(Label.Part, content, [.. envelope.Header.CoreHash().ToArray(), (byte)(i >> 8), (byte)i]);
                scan.Add($"{who}'s part key of {envelope.Id}", key.Bytes);
            }
        }
    }

    private static Envelope Decode(byte[] bytes) =>
        Envelope.TryDecode(bytes, out var envelope, out var error) ? envelope : throw new InvalidOperationException($"an envelope of the replica does not decode: {error.Detail}");

    [System.Diagnostics.CodeAnalysis.SuppressMessage("Security", "CA2100", Justification = "The texts are those of this file.")]
    private static List<byte[]> Blobs(SqliteConnection database, string sql)
    {
        using var command = database.CreateCommand();
        command.CommandText = sql;
        using var reader = command.ExecuteReader();
        var blobs = new List<byte[]>();
        while (reader.Read()) blobs.Add(reader.GetFieldValue<byte[]>(0));
        return blobs;
    }
}

-- applied --
SELECT version FROM public.sendonce_migrations ORDER BY version

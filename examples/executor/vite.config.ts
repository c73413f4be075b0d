import { defineConfig } from 'vite';
import { vivarium } from 'vivarium/vite';

export default defineConfig({ plugins: [vivarium()] });
